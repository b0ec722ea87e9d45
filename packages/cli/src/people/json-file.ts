import { CommandError, EXIT } from '../exit-codes.ts';
import { readText } from './text-input.ts';

/** A JSON object from a file; a usage error that says what is wrong with it. */
export async function readJsonFile(file: string): Promise<Record<string, unknown>> {
  const text = await readText(file);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, without the parser's words: they quote the file.
  }
  throw new CommandError(`${file} is not a JSON object`, EXIT.usage);
}
