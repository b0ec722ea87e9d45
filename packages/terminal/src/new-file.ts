import { type FileHandle, open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CommandError, EXIT } from './exit-codes.ts';

/** Creates a file that only its owner can read. Fails if it exists. */
export async function createFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'EEXIST' ? 'exists already: name a new file' : `cannot be made: ${cause.message}`;
    throw new CommandError(`${path} ${why}`, EXIT.usage, { cause });
  });
}

/** Writes a new file. */
export async function writeNewFile(path: string, content: string): Promise<void> {
  await using file = await createFile(path);
  await file.writeFile(content);
  await file.sync();
}

/** Writes a new file from a stream; removes the file if the stream fails. */
export async function saveStream(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await createFile(path);
  await pipeline(bytes, file.createWriteStream({ flush: true })).catch(async (error: unknown) => {
    await rm(path, { force: true });
    throw error;
  });
}
