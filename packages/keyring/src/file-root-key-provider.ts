import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { unwrapBytes, wrapBytes } from './aes-gcm.ts';
import { IntegrityError } from './integrity-error.ts';
import { readRootKeyFile } from './read-root-key-file.ts';
import { RootKeyError, type RootKeyProvider } from './root-key-provider.ts';

/**
 * Root key from a file of 32 raw bytes or 64 hex digits, readable by its owner alone. The file is read once; its key
 * stays in this process as a KeyObject. `health` reads the file again, because a file that is gone or replaced
 * means that the next start will find the vault sealed.
 *
 * @throws {RootKeyError} when the file is missing, open to others, or does not hold a key.
 */
export async function fileRootKeyProvider({ path }: { path: string }): Promise<RootKeyProvider> {
  const key = await loadKey(path);
  const check = keyCheckOf(key);
  return {
    id: `file:${check}`,
    wrap: async (bytes, aad) => wrapBytes(key, bytes, aad),
    unwrap: async (wrapped, aad) => {
      const bytes = unwrapBytes(key, Buffer.from(wrapped), aad);
      if (bytes === undefined) throw new IntegrityError('root_refused');
      return bytes;
    },
    keyCheck: async () => check,
    health: async () => {
      try {
        if (keyCheckOf(await loadKey(path)) === check) return { ok: true };
        return { ok: false, problem: `${path} now holds another root key: put the former one back` };
      } catch (error) {
        if (error instanceof RootKeyError) return { ok: false, problem: error.message };
        throw error;
      }
    },
  };
}

async function loadKey(path: string): Promise<KeyObject> {
  const bytes = await readRootKeyFile(path);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

function keyCheckOf(key: KeyObject): string {
  return createHmac('sha256', key).update('claviger/root-key-check/v1').digest('hex').slice(0, 16);
}
