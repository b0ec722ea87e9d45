import { ClavigerError } from '@claviger/errors';
import { checkCanary, createCanary, type RootKeyProvider } from '@claviger/keyring';
import type { CanaryStore } from './canary-store.ts';

/**
 * Whether this is the root key that the database was set up with. Sets up an empty database if `initialise`
 * is true; never replaces a canary.
 */
export async function matchesCanary(
  provider: RootKeyProvider,
  canary: CanaryStore,
  { initialise }: { initialise: boolean },
): Promise<boolean> {
  const stored = await canary.read();
  if (stored === 'lost') return false;
  if (stored !== undefined) return checkCanary(provider, stored);
  if (!initialise)
    throw new ClavigerError('conflict', 'This database has no root key yet.', {
      code: 'not_initialised',
      hint: 'Run `claviger unseal --init` to create a root key, or add --from-shares to use existing shares.',
    });
  return checkCanary(provider, await canary.storeFirst(await createCanary(provider), provider.id));
}
