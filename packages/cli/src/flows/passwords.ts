import { askHidden, readSecretLine, readSecretLines } from '@claviger/terminal/secret-input';
import { refuse } from '../contract/refuse.ts';

interface NewPasswordOptions {
  readonly passwordStdin?: boolean;
  readonly currentFile?: string;
  readonly newFile?: string;
}

const OTHER_WAY = 'give --password-stdin, or --current-file and --new-file';

/** The current password and a new one, from standard input, files or prompts. */
export async function newPasswords({
  passwordStdin,
  currentFile,
  newFile,
}: NewPasswordOptions): Promise<{ currentPassword: string; newPassword: string }> {
  if (passwordStdin && (currentFile !== undefined || newFile !== undefined)) throw refuse(OTHER_WAY);
  if (passwordStdin) {
    const [currentPassword = '', newPassword = ''] = await readSecretLines(undefined, 2);
    if (currentPassword === '' || newPassword === '')
      throw refuse('give the current password and the new one, each on its own line');
    return { currentPassword, newPassword };
  }
  const currentPassword =
    currentFile === undefined
      ? await askHidden('Current password: ', OTHER_WAY)
      : await readSecretLine('current password', currentFile);
  if (newFile !== undefined)
    return { currentPassword, newPassword: await readSecretLine('new password', newFile) };
  const newPassword = await askHidden('New password: ', OTHER_WAY);
  if (newPassword !== (await askHidden('New password again: ', OTHER_WAY)))
    throw refuse('the two new passwords differ: nothing was changed');
  return { currentPassword, newPassword };
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
    throw refuse('give one of --password-stdin and --password-file');
  if (!passwordStdin && passwordFile === undefined) return {};
  return { password: await readSecretLine('password', passwordFile) };
}
