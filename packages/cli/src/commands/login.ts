import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../people/command-options.ts';
import type { LoginOptions } from '../people/login.ts';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'login [username]',
    'sign in; the password is asked for, or comes from a pipe or a file',
    'claviger login alice',
  )
    .option('--username <name>', 'instead of the argument')
    .option(
      '--password-stdin',
      'read the password from the first line of standard input, a code from the second',
    )
    .option(
      '--recovery-code',
      'sign in with a recovery code beside the password; works while the account is locked, too',
    )
    .option('--password-file <file>', 'read the password from the first line of a file');
  withConnectionOptions(command).action(async (username: string | undefined, options: LoginOptions) => {
    const { login } = await import('../people/login.ts');
    await login(username, options);
  });
}
