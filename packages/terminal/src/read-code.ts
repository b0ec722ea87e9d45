import { CommandError, EXIT } from './exit-codes.ts';
import { askHidden, readSecretLines } from './secret-input.ts';

export interface CodeInput {
  readonly fromStdin?: boolean | undefined;
  readonly question: string;
  /** How to give the code where there is no terminal. */
  readonly otherWay: string;
}

/**
 * Reads a one-time code from standard input, or asks for it without echo. Its spelling is judged by the
 * server alone: here only empty lines are left out, which come with a pasted code. A usage error when there
 * is nothing but those.
 */
export async function readCode({ fromStdin, question, otherWay }: CodeInput): Promise<string> {
  const code = fromStdin
    ? firstWrittenLine(await readSecretLines(undefined))
    : await askHidden(question, otherWay, { skipEmptyLines: true });
  if (code === undefined) throw new CommandError('the code is empty', EXIT.usage);
  return code;
}

/** The first line with more than white space in it. */
export function firstWrittenLine(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.trim() !== '');
}
