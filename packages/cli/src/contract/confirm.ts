import { createInterface } from 'node:readline/promises';
import { CommandError } from '../exit-codes.ts';
import { escapeText } from '../io/escape.ts';
import { template } from './cells.ts';

/**
 * Asks at a terminal before something is taken away; `--yes` answers in advance. Scripts, which have no terminal, are not asked.
 * An error when the answer is not yes.
 */
export async function confirmed(
  question: string | undefined,
  words: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (question === undefined || options.yes === true || !process.stdin.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${escapeText(template(question, words))} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was done');
  } finally {
    terminal.close();
  }
}
