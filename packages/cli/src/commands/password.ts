import type { ConnectionOptions } from '@claviger/api-client/connection';
import { withSession } from '@claviger/api-client/session';
import { peopleCommand, withConnectionOptions } from '@claviger/terminal/command-options';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { tell } from '@claviger/terminal/output';
import { askHidden, readSecretLine, readSecretLines } from '@claviger/terminal/secret-input';
import type { Command } from 'commander';

export function register(program: Command): void {
  const command = peopleCommand(
    program,
    'password',
    'change your password; both passwords are prompted for, or read from a pipe or files',
    'claviger password',
  )
    .option(
      '--password-stdin',
      'read the current password from the first line of standard input, the new one from the second',
    )
    .option('--current-file <file>', 'read the current password from the first line of a file')
    .option('--new-file <file>', 'read the new password from the first line of a file');
  withConnectionOptions(command).action(changePassword);
}

export interface PasswordOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
  readonly currentFile?: string;
  readonly newFile?: string;
}

/** The command `password`: replaces a password that another person set with one that only the user knows. */
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
      throw new CommandError('give the current password and the new one, each on its own line', EXIT.usage);
    return { current, next };
  }
  const otherWay = 'give --password-stdin, or --current-file and --new-file';
  const current =
    currentFile === undefined
      ? await askHidden('Current password: ', otherWay)
      : await readSecretLine('current password', currentFile);
  if (newFile !== undefined) return { current, next: await readSecretLine('new password', newFile) };
  const next = await askHidden('New password: ', otherWay);
  if (next !== (await askHidden('New password again: ', otherWay)))
    throw new CommandError('the two new passwords differ: nothing was changed', EXIT.usage);
  return { current, next };
}

/** The password of a new user, from standard input or a file; none if neither is given. */
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
