import { CommandError, EXIT } from './exit-codes.ts';
import { readText } from './text-input.ts';

/** A JSON object from a file, or a list; a usage error where it holds something else. */
export async function readJsonFile(file: string, isList = false): Promise<Record<string, unknown>> {
  const text = await readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && Array.isArray(value) === isList)
      return value as Record<string, unknown>;
  } catch {
    // Refused below, without the message of the parser: it quotes the file.
  }
  throw new CommandError(`${file} is not a JSON ${isList ? 'list' : 'object'}`, EXIT.usage);
}
