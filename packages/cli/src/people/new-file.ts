import { type FileHandle, open } from 'node:fs/promises';
import { CommandError, EXIT } from '../exit-codes.ts';

/** A file that was not there before, readable for its owner only. */
export async function createFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'EEXIST' ? 'exists already: name a new file' : `cannot be made: ${cause.message}`;
    throw new CommandError(`${path} ${why}`, EXIT.usage, { cause });
  });
}

/** Writes a new file whole. */
export async function writeNewFile(path: string, content: string): Promise<void> {
  await using file = await createFile(path);
  await file.writeFile(content);
  await file.sync();
}
