import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { RootKeyError } from './root-key-provider.ts';

export interface PrivateFile {
  /** For messages, e.g. `root key`. */
  readonly what: string;
  /** The result has one more byte when the file is longer. */
  readonly maxBytes: number;
  /** For mounts whose modes we cannot choose. */
  readonly groupMayRead?: boolean;
  /** What to do when the file is missing. */
  readonly missing?: string;
}

/**
 * Reads a file that no other account may read or change. The caller wipes the content. @throws {RootKeyError}
 */
export async function readPrivateFile(path: string, options: PrivateFile): Promise<Buffer> {
  const file = await openFile(path, options);
  const content = Buffer.allocUnsafeSlow(options.maxBytes + 1);
  try {
    requirePrivate(path, await file.stat(), options);
    let length = 0;
    for (let read = -1; read !== 0 && length < content.length; length += read)
      ({ bytesRead: read } = await file.read(content, length));
    return content.subarray(0, length);
  } catch (error) {
    content.fill(0);
    throw error;
  } finally {
    await file.close();
  }
}

async function openFile(path: string, { what, missing = '' }: PrivateFile): Promise<FileHandle> {
  try {
    // Non-blocking: a FIFO at this path must not block the start.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new RootKeyError('missing', `There is no ${what} file ${path}. ${missing}`.trimEnd(), { cause });
    throw new RootKeyError('unreadable', `The ${what} file ${path} cannot be opened (${code}).`, { cause });
  }
}

/** Checks the opened file, not the path, so that it cannot be exchanged in between. */
function requirePrivate(path: string, stats: Stats, { what, groupMayRead = false }: PrivateFile): void {
  if (!stats.isFile()) throw new RootKeyError('not_a_file', `The ${what} ${path} is not a regular file.`);
  if ((stats.mode & (groupMayRead ? 0o037 : 0o077)) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    const fix = groupMayRead ? 'Give the volume defaultMode: 0440' : `Run: chmod 0400 '${path}'`;
    throw new RootKeyError(
      'permissions',
      `The ${what} file ${path} is accessible to other accounts (mode ${mode}). ${fix}`,
    );
  }
  const self = process.geteuid?.();
  if (self !== undefined && stats.uid !== self && stats.uid !== 0)
    throw new RootKeyError(
      'owner',
      `The ${what} file ${path} belongs to account ${stats.uid}, which could change it. Run: chown ${self} '${path}'`,
    );
}
