import { type MessageInfo, methodOf } from '@claviger/contracts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { readJsonFile } from './json-file.ts';

/**
 * The request of an operation from a JSON file, under the names of the API. A name that the operation does not know is a
 * usage error: a misspelt condition must not vanish from a rule. `leftOut`: names that may stand there all the same.
 */
export async function readRequestFile(
  file: string,
  operation: { readonly path: string },
  leftOut: readonly string[] = [],
): Promise<Record<string, unknown>> {
  const whole = await readJsonFile(file);
  const json = Object.fromEntries(Object.entries(whole).filter(([name]) => !leftOut.includes(name)));
  return checkedRequest(file, json, operation);
}

/** The same for JSON that was read; `file` is where it came from. */
export function checkedRequest(
  file: string,
  json: Record<string, unknown>,
  operation: { readonly path: string },
): Record<string, unknown> {
  const unknown = unknownName(methodOf(operation.path).request, json, '');
  if (unknown === undefined) return json;
  const { pointer, among } = unknown;
  const known = among.fields.map(({ jsonName }) => jsonName).join(', ');
  throw new CommandError(`${file}: there is no ${pointer} here, but there is ${known}`, EXIT.usage);
}

interface UnknownName {
  readonly pointer: string;
  /** Where it stands. */
  readonly among: MessageInfo;
}

function unknownName(info: MessageInfo, json: unknown, pointer: string): UnknownName | undefined {
  if (Array.isArray(json)) {
    for (const [index, item] of json.entries()) {
      const found = unknownName(info, item, `${pointer}/${index}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  for (const [name, value] of Object.entries(json)) {
    const field = info.byJsonName.get(name);
    if (field === undefined) return { pointer: `${pointer}/${name}`, among: info };
    const found = field.message && unknownName(field.message, value, `${pointer}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
