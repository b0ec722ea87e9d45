import { localRootKey } from './local-root-key.ts';
import { readRootKeyFile } from './read-root-key-file.ts';
import { RootKeyError, type RootKeyProvider } from './root-key-provider.ts';

/**
 * Root key from a file of 32 raw bytes or 64 hex digits, readable only by its owner. The file is read once;
 * the key stays in memory as a KeyObject. `health` reads the file again, because with a missing or replaced
 * file the next start would be sealed.
 *
 * @throws {RootKeyError} when the file is missing, accessible to others, or does not contain a key.
 */
export async function fileRootKeyProvider({ path }: { path: string }): Promise<RootKeyProvider> {
  const load = async () => localRootKey(await readRootKeyFile(path));
  const key = await load();
  return {
    kind: 'file',
    id: `file:${key.check}`,
    wrap: async (bytes, aad) => key.wrap(bytes, aad),
    unwrap: async (wrapped, aad) => key.unwrap(wrapped, aad),
    keyCheck: async () => key.check,
    health: async () => {
      try {
        if ((await load()).check === key.check) return { ok: true };
        return { ok: false, problem: `${path} now contains another root key: restore the former one` };
      } catch (error) {
        if (error instanceof RootKeyError) return { ok: false, problem: error.message };
        throw error;
      }
    },
    close: () => key.close(),
  };
}
