import type { Command } from 'commander';
import { peopleCommand, withConnectionOptions } from '../command-options.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { askHidden, readSecretLine, readSecretLines } from '../io/secret-input.ts';
import { tell } from '../output.ts';
import type { ConnectionOptions } from '../session/connection.ts';
import { withSession } from '../session/session.ts';

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
  withConnectionOptions(command).action(changePassword);
}

export interface PasswordOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
  readonly currentFile?: string;
  readonly newFile?: string;
}

/** The command `password`: from then on nobody else knows it, and the account counts as its person's alone. */
export function changePassword(options: PasswordOptions): Promise<void> {
  return withSession(options, async ({ invoke }) => {
    const { current, next } = await passwords(options);
    await invoke('ChangeMyPassword', {
      currentPassword: current,
      newPassword: next,
    });
    tell('changed; your other sessions have ended');
  });
}

async function passwords({
  passwordStdin,
  currentFile,
  newFile,
}: PasswordOptions): Promise<{ readonly current: string; readonly next: string }> {
  if (passwordStdin && (currentFile !== undefined || newFile !== undefined))
    throw new CommandError('give --password-stdin, or --current-file and --new-file', EXIT.usage);
  if (passwordStdin) {
    const [current = '', next = ''] = await readSecretLines(undefined, 2);
    if (current === '' || next === '')
      throw new CommandError('give the present password and the new one, each on a line', EXIT.usage);
    return { current, next };
  }
  const otherWay = 'give --password-stdin, or --current-file and --new-file';
  const current =
    currentFile === undefined
      ? await askHidden('Present password: ', otherWay)
      : await readSecretLine('present password', currentFile);
  if (newFile !== undefined) return { current, next: await readSecretLine('new password', newFile) };
  const next = await askHidden('New password: ', otherWay);
  if (next !== (await askHidden('New password again: ', otherWay)))
    throw new CommandError('the two are not the same: nothing was done', EXIT.usage);
  return { current, next };
}

/** The password of a new user, from standard input or a file; nothing where neither is given. */
export async function passwordOf({
  passwordStdin,
  passwordFile,
}: {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}): Promise<{ readonly password?: string }> {
  if (passwordStdin && passwordFile !== undefined)
    throw new CommandError('give one of --password-stdin and --password-file', EXIT.usage);
  if (!passwordStdin && passwordFile === undefined) return {};
  return { password: await readSecretLine('password', passwordFile) };
}
