import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, rename, writeFile } from 'node:fs/promises';
import type { Account } from './account.ts';
import { readPasswordFile } from './password-file.ts';

/** Creates a folder that only the servers' account can enter. */
export async function createServerFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await giveTo(path, account);
  await chmod(path, 0o700);
}

/** Makes a file or folder the account's own. */
export async function giveTo(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

/** Atomically writes a file (0600) that only the servers' account can read. */
export async function writeServerFile(
  path: string,
  content: string,
  account: Account | undefined,
): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, content, { mode: 0o600, flag: 'wx' });
  await giveTo(temporary, account);
  await rename(temporary, path);
}

/**
 * Returns the password in `file`; generates (32 random bytes in hexadecimal) and stores it if there is none.
 */
export async function readOrCreatePassword(file: string): Promise<string> {
  const existing = await readPasswordFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (existing !== undefined) return existing;
  await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  return readPasswordFile(file);
}
