import { createInterface } from 'node:readline/promises';
import { escapeText } from '@claviger/terminal/escape';
import { CommandError } from '@claviger/terminal/exit-codes';
import { template } from './cells.ts';

/**
 * Asks for confirmation at a terminal before a destructive command; `--yes` confirms in advance. Without a
 * terminal (scripts) it does not ask. Throws if the answer is not yes.
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
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('not confirmed: nothing was changed');
  } finally {
    terminal.close();
  }
}
