import { IntegrityError } from './integrity-error.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import type { RootKeyProvider } from './root-key-provider.ts';

const CONTENT = Buffer.from('claviger root key canary');
const AAD = lengthPrefixed(['claviger/canary/v1']);

/** A value that only the current root key can decrypt. Store it only when a database is first set up. */
export function createCanary(provider: RootKeyProvider): Promise<Buffer> {
  return provider.wrap(CONTENT, AAD);
}

/**
 * Whether this is the root key that the database was set up with. If false, the service is *sealed*: generate
 * and overwrite nothing, and ask for the right root key.
 *
 * @throws what the provider throws when it is unreachable, which says nothing about the key.
 */
export async function checkCanary(provider: RootKeyProvider, blob: Uint8Array): Promise<boolean> {
  try {
    return CONTENT.equals(await provider.unwrap(blob, AAD));
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}
