import { randomBytes, randomFillSync } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_BYTES } from './aes-gcm.ts';
import { RootKeyError } from './root-key-provider.ts';

const DIGITS = Buffer.from('0123456789abcdef');

/**
 * Creates a root key file: 64 hex digits, mode 0400, synced to disk. Only for an installation without data.
 * Never changes an existing file; a crash leaves a complete file or none.
 *
 * @throws {RootKeyError} `exists` when the file exists.
 */
export async function createRootKeyFile(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  const key = randomFillSync(Buffer.allocUnsafeSlow(KEY_BYTES));
  const text = Buffer.allocUnsafeSlow(2 * KEY_BYTES + 1);
  for (const [i, byte] of key.entries()) text.set([DIGITS[byte >> 4]!, DIGITS[byte & 15]!], 2 * i);
  text[2 * KEY_BYTES] = 0x0a;
  try {
    const file = await open(draft, 'wx', 0o400);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await linkNew(draft, path);
  } finally {
    key.fill(0);
    text.fill(0);
    await unlink(draft).catch(() => {}); // May not exist; the first error counts.
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

/** In contrast to rename, link refuses to replace an existing file. */
async function linkNew(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new RootKeyError('exists', `${path} already exists and was not changed.`, { cause });
  }
}
