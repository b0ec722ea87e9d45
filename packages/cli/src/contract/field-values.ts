import type { ApiClient } from '@claviger/api-client';
import type { FieldInfo, MessageInfo } from '@claviger/contracts';
import { parseSeconds } from '@claviger/terminal/duration';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readJsonFile } from '@claviger/terminal/json-file';
import { readSecret } from '@claviger/terminal/secret-input';
import { type Flag, UNITS } from './flags.ts';
import { idOf, kindOf } from './names.ts';

/** The fields of the request that are given as flags. */
export async function valuesOf(
  flags: readonly Flag[],
  options: Readonly<Record<string, unknown>>,
  api: ApiClient,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const {
    field,
    options: [option],
  } of flags) {
    const given = options[option!.attributeName()];
    if (given === undefined) continue;
    values[field.property] = await fieldValue(field, given, option!.flags.split(' ')[0]!, api);
  }
  return values;
}

/** Converts a word or the text of a flag to the value of its field. */
export async function fieldValue(
  field: FieldInfo,
  given: unknown,
  name: string,
  api: ApiClient,
  kind = kindOf(field.property),
): Promise<unknown> {
  if (Array.isArray(given)) {
    const all: unknown[] = [];
    for (const each of given) all.push(await fieldValue(field, each, name, api, kind));
    return all;
  }
  // `--no-site`, `--no-group`: none.
  if (given === false && field.kind !== 'bool')
    return field.repeated ? [] : field.rules?.nullable ? null : '';
  if (typeof given !== 'string') return given;
  if (kind !== undefined) return idOf(api, kind, given);
  if (field.kind === 'string' && !field.public) return readSecret(given === '-' ? undefined : given);
  if (field.kind === 'struct') return readJsonFile(given);
  if (field.kind === 'message') {
    const json = await readJsonFile(given, field.repeated);
    refuseUnknownNames(given, json, field.message!);
    return json;
  }
  if (field.kind === 'bool') return given === 'on';
  if (field.kind === 'integer') return inUnits(field.jsonName, given, name);
  if (field.kind !== 'timestamp') return given;
  if (Number.isNaN(Date.parse(given)))
    throw new CommandError(`${name} takes a time such as 2026-12-24T03:00:00Z`, EXIT.usage);
  return new Date(given).toISOString();
}

function inUnits(jsonName: string, text: string, name: string): number {
  const unit = UNITS.find(([suffix]) => suffix.test(jsonName))?.[1];
  if (unit === undefined) return Number(text);
  const seconds = parseSeconds(text, name);
  if (seconds % unit === 0) return seconds / unit;
  const units = { 60: 'minutes', 3600: 'hours', 86400: 'days' }[unit];
  throw new CommandError(`${name} is "${text}": give whole ${units}`, EXIT.usage);
}

/**
 * Throws a usage error for an unknown name in a file, with the known names, so that no misspelt field is
 * ignored.
 */
export function refuseUnknownNames(file: string, json: unknown, info: MessageInfo, pointer = ''): void {
  if (Array.isArray(json))
    for (const [index, item] of json.entries()) refuseUnknownNames(file, item, info, `${pointer}/${index}`);
  else if (typeof json === 'object' && json !== null)
    for (const [name, value] of Object.entries(json)) {
      const field = info.byJsonName.get(name);
      if (field === undefined) {
        const known = info.fields.map(({ jsonName }) => jsonName).join(', ');
        throw new CommandError(
          `${file}: unknown field ${pointer}/${name}; known fields: ${known}`,
          EXIT.usage,
        );
      }
      if (field.message !== undefined && !field.map)
        refuseUnknownNames(file, value, field.message, `${pointer}/${name}`);
    }
}
