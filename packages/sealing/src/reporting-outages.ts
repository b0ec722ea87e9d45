import { ClavigerError } from '@claviger/errors';
import { RootKeyError, type RootKeyProvider } from '@claviger/keyring';

/**
 * Wraps a provider so that its outages become errors for the caller. Keys in memory stay usable, and other
 * keys work again when the provider does. Integrity errors pass through.
 */
export function reportingOutages(provider: RootKeyProvider, what: string): RootKeyProvider {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof RootKeyError)) throw error;
      throw new ClavigerError(
        'sealed',
        `The root key of ${what} cannot be reached; keys in memory stay usable.`,
        {
          code: 'root_key_unreachable',
          hint: 'Restore the root key provider; the log of the service has its error.',
          retryAfterSeconds: 5,
          cause: error,
        },
      );
    }
  };
  return {
    ...provider,
    wrap: (bytes, aad) => translated(provider.wrap(bytes, aad)),
    unwrap: (wrapped, aad) => translated(provider.unwrap(wrapped, aad)),
  };
}
