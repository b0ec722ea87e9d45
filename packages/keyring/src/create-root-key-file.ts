import { randomBytes, randomFillSync } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_BYTES } from './aes-gcm.ts';
import { RootKeyError } from './root-key-provider.ts';

const DIGITS = Buffer.from('0123456789abcdef');

/**
 * Makes a new root key file: 64 hex digits, mode 0400, on disk when this returns. Call it only for an installation
 * that has no data yet. An existing file is never touched, and a crash leaves either a whole file or none.
 *
 * @throws {RootKeyError} `exists` when there is a file already.
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
    await unlink(draft).catch(() => {}); // Not there when it could not be made; the first error counts.
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}

/** Unlike rename, link refuses to replace what is there. */
async function linkNew(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new RootKeyError('exists', `${path} exists already and was left as it is.`, { cause });
  }
}
