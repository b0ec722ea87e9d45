import { CommandError, EXIT } from './exit-codes.ts';
import { askHidden, readSecretLines } from './secret-input.ts';

export interface CodeInput {
  readonly fromStdin?: boolean | undefined;
  readonly question: string;
  /** How to give the code without a terminal. */
  readonly otherWay: string;
}

/**
 * Reads a one-time code from standard input, or asks for it without echo. Skips empty lines, which come with
 * a pasted code; the server checks the format. Throws a usage error if all lines are empty.
 */
export async function readCode({ fromStdin, question, otherWay }: CodeInput): Promise<string> {
  const code = fromStdin
    ? firstWrittenLine(await readSecretLines(undefined))
    : await askHidden(question, otherWay, { skipEmptyLines: true });
  if (code === undefined) throw new CommandError('the code is empty', EXIT.usage);
  return code;
}

/** The first line that contains more than white space. */
export function firstWrittenLine(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.trim() !== '');
}
