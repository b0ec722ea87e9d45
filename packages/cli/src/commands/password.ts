import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { PasswordOptions } from '../people/password.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'password',
    'choose a password of your own; both are asked for, or come from a pipe or from files',
    'claviger password',
  )
    .option(
      '--password-stdin',
      'read the present one from the first line of standard input, the new one from the second',
    )
    .option('--current-file <file>', 'read the present one from the first line of a file')
    .option('--new-file <file>', 'read the new one from the first line of a file');
  withConnectionOptions(command).action(async (options: PasswordOptions) => {
    const { changePassword } = await import('../people/password.ts');
    await changePassword(options);
  });
}
