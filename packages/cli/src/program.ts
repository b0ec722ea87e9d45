import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';

/** What every file in `commands/` exports: it adds its command to the program. */
export interface CommandFile {
  register(program: Command): void;
}

/**
 * The program with every command. A command is a file in `commands/`; nothing else lists it. Command files import
 * what is heavy only when they run, so that each command starts fast.
 */
export async function createProgram(): Promise<Command> {
  const program = new Command('claviger')
    .description('Claviger keeps privileged credentials, lends them on approval, and proves who saw what.')
    .exitOverride()
    .showHelpAfterError('(claviger --help shows the commands)')
    .addHelpText(
      'after',
      `
Exit codes: 0 ok, 1 error, 2 usage, 3 denied, 4 pending, 5 not found, 6 conflict, 7 sealed`,
    );
  const folder = join(import.meta.dirname, 'commands');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of files.sort()) {
    const file = (await import(join(folder, name))) as Partial<CommandFile>;
    if (file.register === undefined) throw new Error(`commands/${name} does not export register()`);
    file.register(program);
  }
  return program;
}
