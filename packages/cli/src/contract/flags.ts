import type { ApiClient } from '@claviger/api-client';
import type { FieldInfo, MessageInfo, MethodInfo } from '@claviger/contracts';
import { positive, several, whole } from '@claviger/terminal/command-options';
import { parseSeconds } from '@claviger/terminal/duration';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readJsonFile } from '@claviger/terminal/json-file';
import { readSecret } from '@claviger/terminal/secret-input';
import { Option } from 'commander';
import { idOf, kindOf } from './names.ts';
import type { Noun, Verb } from './noun.ts';
import { firstSentence, toReader } from './texts.ts';

/** Fields that have no option of their own: paging, order, versions, and what the command itself computes. */
const WITHOUT_OPTION = new Set([
  'page',
  'pageSize',
  'limit',
  'cursor',
  'sortBy',
  'sortOrder',
  'rowVersion',
  'updateMask',
  'digest',
  'replaceTags',
]);

/** A field of the request and the options that give it. */
export interface Flag {
  readonly field: FieldInfo;
  readonly options: readonly Option[];
}

const kebab = (name: string) =>
  name
    .replaceAll('_', '-')
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, '-$&')
    .toLowerCase();
const singular = (name: string) => name.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');

/** Parses `--for <duration>!=2m  how long`: flag, `!` if mandatory, default, description. */
export function parseFlag(text: string): { flag: string; mandatory: boolean; preset?: string; says: string } {
  const [, flag = '', mark = '', preset, says = ''] =
    /^(--[a-z-]+(?: <[^>]+>(?:\.\.\.)?)?)(!?)(?:=(\S+))?(?: {2}(.*))?$/s.exec(text) ?? [];
  if (flag === '') throw new Error(`"${text}" is no flag`);
  return { flag, mandatory: mark === '!', ...(preset === undefined ? {} : { preset }), says };
}

/** Units of durations in the contract. */
const UNITS: readonly (readonly [suffix: RegExp, seconds: number])[] = [
  [/Minutes$/, 60],
  [/Hours$/, 3_600],
  [/Seconds$/, 1],
  [/Days$/, 86_400],
];

/** Flags of an operation's request, except fields that are given as words. */
export function flagsOf(info: MethodInfo, verb: Verb, words: readonly string[]): Flag[] {
  const inPath = new Set([...(info.http[0]?.path.matchAll(/\{(\w+)\}/g) ?? [])].map((match) => match[1]));
  return info.request.fields
    .filter(
      ({ property, jsonName, protoName }) =>
        !WITHOUT_OPTION.has(jsonName) && !words.includes(property) && !inPath.has(protoName),
    )
    .filter(({ property }) => verb.flags?.[property] !== false && !(property in (verb.fixed ?? {})))
    .filter(({ property }) => !(verb.bare || verb.fixed || verb.file) || verb.flags?.[property] !== undefined)
    .map((field) => ({
      field,
      options: optionsOf(field, verb.flags?.[field.property] || '', info.name),
    }));
}

/** Whether an operation changes only the given fields. */
export const isChange = (operation: string) => /^(Update|Patch)/.test(operation);

function optionsOf(field: FieldInfo, said: string, operation: string): Option[] {
  const own = said.startsWith('--') ? parseFlag(said) : undefined;
  const bare = kindOf(field.property) === undefined ? field.property : field.property.replace(/Ids?$/, '');
  const isDuration = field.kind === 'integer' && UNITS.some(([suffix]) => suffix.test(bare));
  const plain = isDuration ? bare.replace(/[A-Z][a-z]+$/, '').replace(/^duration$/, 'for') : bare;
  const name = kebab(field.repeated && field.kind !== 'message' ? singular(plain) : plain);
  const mandatory = own?.mandatory || (own === undefined && field.rules?.required);
  const flag =
    own?.flag ??
    `--${name}${field.public || field.kind !== 'string' ? '' : '-file'}${placeholderOf(field, name)}`;
  const choices = /<(\w+\|[\w|]+)>/.exec(flag)?.[1]?.split('|') ?? field.rules?.allowed ?? [];
  const about = own?.says || (own === undefined && said) || aboutOf(field, name, operation);
  const form = flag.includes('<duration>') && 'such as 30m, 2h or 1d';
  const marks = [about, form, field.repeated && 'may be given several times', mandatory && 'mandatory'];
  const option = new Option(flag, marks.filter(Boolean).join('; '));
  const mayBeZero = own === undefined && field.rules?.hasRange && field.rules.minimum === 0;
  if (field.kind === 'integer' && !flag.includes('duration')) option.argParser(mayBeZero ? whole : positive);
  else if (field.repeated && field.kind !== 'message') option.argParser(several);
  else if (choices.length > 0 && field.kind !== 'message') option.choices([...choices]);
  if (mandatory) option.makeOptionMandatory();
  if (own?.preset !== undefined) option.default(own.preset);
  const long = flag.split(' ')[0]!;
  const isSwitch = field.kind === 'bool' && field.optional && !flag.includes('<');
  const no = (says: string) => [option, new Option(long.replace('--', '--no-'), says)];
  if (isSwitch) return no(`the opposite of ${long}`);
  const mayBeNone = isChange(operation) && field.optional && field.rules?.nullable;
  return mayBeNone ? no(`none, in place of ${long}`) : [option];
}

function placeholderOf(
  { kind, jsonName, repeated, rules, public: isPublic }: FieldInfo,
  name: string,
): string {
  if (kind === 'bool') return '';
  if (kind === 'struct' || kind === 'message' || !isPublic) return ' <file>';
  if (kind === 'integer' || kind === 'double')
    return UNITS.some(([suffix]) => suffix.test(jsonName)) ? ' <duration>' : ' <n>';
  if (kind === 'timestamp' || rules?.format === 'date-or-time') return ' <time>';
  return kindOf(jsonName) === undefined && !repeated && !rules?.allowed.length
    ? ' <text>'
    : ` <${name.split('-').at(-1)}>`;
}

/** Description of a field in the help: the first sentence of its comment, and how it is given. */
function aboutOf(field: FieldInfo, name: string, operation: string): string {
  const { comment, kind, jsonName } = field;
  const filter = operation.startsWith('List') ? `only those with this ${name.replaceAll('-', ' ')}` : '';
  let how = kindOf(jsonName) && 'by name or id';
  if (kind === 'string' && !field.public) how = 'file that contains it; - for standard input';
  if (kind === 'struct' || kind === 'message') how = 'JSON file';
  return [toReader(firstSentence(comment)) || filter, how].filter(Boolean).join('; ');
}

/** Whether the answer contains secrets that a terminal shows only with `--show`. */
export const showsSecrets = ({ policy }: MethodInfo, { secret, line, fields, quiet }: Verb): boolean =>
  policy?.discloses === true && (secret ?? line ?? fields ?? quiet) === undefined;

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

/** A word after the verb, and the field that it sets. */
export interface Word {
  readonly property: string;
  readonly usage: string;
  /** Kind of object that it names, e.g. `entry`. */
  readonly kind?: string;
}

const NAMES = ['name', 'username', 'hostname'];

/** Words of a verb: the declared ones, otherwise the parameters of its path and the name of a new object. */
export function wordsOf(info: MethodInfo, verb: Verb, noun: Pick<Noun, 'id'> | undefined): Word[] {
  const inPath = [...(info.http[0]?.path.matchAll(/\{(\w+)\}/g) ?? [])].map((match) => match[1]!);
  const isNew = /^(Create|Enrol)/.test(info.name) && verb.file === undefined;
  const derived = info.request.fields.filter(
    ({ protoName, property, rules }) =>
      inPath.includes(protoName) || (isNew && rules?.required && NAMES.includes(property)),
  );
  const declared = (verb.words ?? derived.map(({ property }) => property).join(' '))
    .split(' ')
    .filter((word) => word !== '');
  return declared.map((word) => {
    const [, property = '', mark = ''] = /^(\w+)([?]|\.\.\.)?$/.exec(word) ?? [];
    const kind = property === 'id' ? noun?.id : kindOf(property);
    const ofKind = property === 'id' ? (noun?.id ?? 'id') : property.replace(/Ids?$/, '');
    const label = kebab(kind === undefined ? property : ofKind);
    const name = mark === '...' ? `${singular(label)}...` : label;
    return {
      property,
      usage: mark === '' ? `<${name}>` : `[${name}]`,
      ...(kind === undefined ? {} : { kind }),
    };
  });
}
