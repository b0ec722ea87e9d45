import * as auth from '@claviger/contracts/auth/v1/auth';
import { CommandError, EXIT } from '../exit-codes.ts';
import { tell } from '../output.ts';
import type { ConnectionOptions } from './connection.ts';
import { askHidden, readSecretLine, readSecretLines } from './secret-input.ts';
import { withSession } from './session.ts';

export interface PasswordOptions extends ConnectionOptions {
  readonly passwordStdin?: boolean;
  readonly currentFile?: string;
  readonly newFile?: string;
}

/** The command `password`: from then on nobody else knows it, and the account counts as its person's alone. */
export function changePassword(options: PasswordOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    const { current, next } = await passwords(options);
    await api.call(auth.AuthService.changeMyPassword, {
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
