import { stat } from 'node:fs/promises';
import { type LocalRootKey, localRootKey } from './local-root-key.ts';
import { readRootKeyFile } from './read-root-key-file.ts';
import { RootKeyError, type RootKeyProvider } from './root-key-provider.ts';

/**
 * Root key from a mounted Kubernetes secret. The kubelet replaces the files of a mount by changing a link
 * (`..data`), and sets mode and owner by the pod's `fsGroup`. So links are followed, root may own the file,
 * and its group may read it; others may not.
 *
 * The mount is checked before each use and read again after a change. While the secret is withdrawn or
 * replaced by another root key, nothing can be unwrapped.
 *
 * @throws {RootKeyError} when the file is missing, readable by all, or does not contain a key.
 */
export async function mountedSecretProvider({ path }: { path: string }): Promise<RootKeyProvider> {
  let seen = await versionOf(path);
  let key: LocalRootKey = await load(path);
  const { check } = key;
  let closed = false;

  const current = async (): Promise<LocalRootKey> => {
    if (closed) throw new RootKeyError('closed', 'The root key was dropped from memory.');
    const version = await versionOf(path);
    if (version === seen) return key;
    const fresh = await load(path);
    if (fresh.check !== check) {
      fresh.close();
      throw new RootKeyError(
        'refused',
        `${path} now contains another root key than at the start: restore the former one, or restart to use the new one.`,
      );
    }
    key.close();
    key = fresh;
    seen = version;
    return key;
  };
  return {
    kind: 'kubernetes-secret',
    id: `kubernetes-secret:${check}`,
    wrap: async (bytes, aad) => (await current()).wrap(bytes, aad),
    unwrap: async (wrapped, aad) => (await current()).unwrap(wrapped, aad),
    keyCheck: async () => check,
    health: async () => {
      try {
        await current();
        return { ok: true };
      } catch (error) {
        if (error instanceof RootKeyError) return { ok: false, problem: error.message };
        throw error;
      }
    },
    close: () => {
      closed = true;
      key.close();
    },
  };
}

const load = async (path: string) => localRootKey(await readRootKeyFile(path, { groupMayRead: true }));

/** Changes when the link or the file behind it changes. */
async function versionOf(path: string): Promise<string> {
  try {
    const { dev, ino, mtimeNs, size } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${mtimeNs}:${size}`;
  } catch (cause) {
    throw new RootKeyError('missing', `There is no mounted secret ${path}: is the volume in the pod?`, {
      cause,
    });
  }
}
