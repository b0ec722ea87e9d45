import { localRootKey } from '../local-root-key.ts';
import type { RootKeyProvider } from '../root-key-provider.ts';

/**
 * A root key that people have combined from shares; it exists only in this process's memory. Takes ownership
 * of the 32 bytes and wipes them.
 */
export function shamirProvider(rootKey: Buffer): RootKeyProvider {
  const key = localRootKey(rootKey);
  return {
    kind: 'shamir',
    id: `shamir:${key.check}`,
    wrap: async (bytes, aad) => key.wrap(bytes, aad),
    unwrap: async (wrapped, aad) => key.unwrap(wrapped, aad),
    keyCheck: async () => key.check,
    health: async () => ({ ok: true }),
    close: () => key.close(),
  };
}
