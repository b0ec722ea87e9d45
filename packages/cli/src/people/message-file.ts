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
  const unknown = unknownName(methodOf(operation.path).request, json, '');
  if (unknown === undefined) return json;
  throw new CommandError(`${file}: there is no ${unknown} here`, EXIT.usage);
}

function unknownName(info: MessageInfo, json: unknown, pointer: string): string | undefined {
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
    if (field === undefined) return `${pointer}/${name}`;
    const found = field.message && unknownName(field.message, value, `${pointer}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
