import { IntegrityError } from './integrity-error.ts';
import { lengthPrefixed } from './length-prefixed.ts';
import type { RootKeyProvider } from './root-key-provider.ts';

const CONTENT = Buffer.from('claviger root key canary');
const AAD = lengthPrefixed(['claviger/canary/v1']);

/** A value only the present root key can open. Store it when a database is first set up, never again. */
export function createCanary(provider: RootKeyProvider): Promise<Buffer> {
  return provider.wrap(CONTENT, AAD);
}

/**
 * Whether this root key is the one that the database was set up with. False means *sealed*: generate nothing,
 * overwrite nothing, ask for the right root key.
 *
 * @throws what the provider throws when it cannot be reached: that says nothing about the key.
 */
export async function checkCanary(provider: RootKeyProvider, blob: Uint8Array): Promise<boolean> {
  try {
    return CONTENT.equals(await provider.unwrap(blob, AAD));
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}
