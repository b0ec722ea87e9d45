import { createHash } from 'node:crypto';
import { chmod, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Account, canTraverse } from './account.ts';

/** Twelve hexadecimal digits that identify a path. */
export function pathHash(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12);
}

/** The folder for the servers' data of `dataDir` (a real path) if it cannot be inside. */
export function outerServersFolder(dataDir: string): string {
  return `/var/lib/claviger-${pathHash(dataDir)}`;
}

/**
 * Returns the folder below which the servers keep their data. Inside `dataDir` if the servers' account can
 * reach it; otherwise (the clone is below a closed folder such as /root) `/var/lib/claviger-<hash of
 * dataDir>`. Creates `dataDir` and the folder. With an account, `dataDir` gets mode 0711: it can be entered,
 * but not read.
 */
export async function chooseServersFolder(dataDir: string, account: Account | undefined): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: account === undefined ? 0o700 : 0o711 });
  const real = await realpath(dataDir);
  if (account === undefined) {
    const folder = join(real, 'parts');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
  await chmod(real, 0o711);
  const inside = await canTraverse(dirname(real), account);
  const folder = inside ? join(real, 'parts') : outerServersFolder(real);
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await chmod(folder, 0o711);
  return folder;
}
