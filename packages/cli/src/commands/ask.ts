import type { Command } from 'commander';
import type { AskOptions } from '../people/ask.ts';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'ask [words...]',
    'ask the assistant, which reads and changes nothing',
    'claviger ask "Which access of mine is active, and when does it end?"',
  )
    .option('--history', 'show your own questions and answers')
    .option('--erase-history', 'erase them for good')
    .option('--status', 'show who answers, and what can be asked');
  withConnectionOptions(command).action(async (words: string[], options: AskOptions) => {
    const { ask } = await import('../people/ask.ts');
    process.exitCode = await ask(words.join(' '), options);
  });
}
