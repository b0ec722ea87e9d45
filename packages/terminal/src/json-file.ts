import { CommandError, EXIT } from './exit-codes.ts';
import { readText } from './text-input.ts';

/** Reads a JSON object or list from a file. Throws a usage error for other content. */
export async function readJsonFile(file: string, isList = false): Promise<Record<string, unknown>> {
  const text = await readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && Array.isArray(value) === isList)
      return value as Record<string, unknown>;
  } catch {
    // Refused below without the message of the parser, which quotes the file.
  }
  throw new CommandError(`${file} is not a JSON ${isList ? 'list' : 'object'}`, EXIT.usage);
}
