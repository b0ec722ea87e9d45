import { ClavigerError } from '@claviger/errors';
import { checkCanary, createCanary, type RootKeyProvider } from '@claviger/keyring';
import type { CanaryStore } from './canary-store.ts';

/**
 * Whether this is the root key that the database was set up with. An empty database is set up with it, if asked; a
 * canary is never replaced.
 */
export async function fits(
  provider: RootKeyProvider,
  canary: CanaryStore,
  { initialise }: { initialise: boolean },
): Promise<boolean> {
  const stored = await canary.read();
  if (stored === 'lost') return false;
  if (stored !== undefined) return checkCanary(provider, stored);
  if (!initialise)
    throw new ClavigerError('conflict', 'This database has not been set up with a root key yet.', {
      code: 'not_initialised',
      hint: 'claviger unseal --init makes a root key; --init --from-shares sets this one up with yours.',
    });
  return checkCanary(provider, await canary.storeFirst(await createCanary(provider), provider.id));
}
