import { ClavigerError } from '@claviger/errors';
import { RootKeyError, type RootKeyProvider } from '@claviger/keyring';

/**
 * A provider whose outages are what callers may see: what is not in memory stays closed, and works again by itself as soon
 * as the provider does. Verdicts about stored bytes pass through.
 */
export function reportingOutages(provider: RootKeyProvider, what: string): RootKeyProvider {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof RootKeyError)) throw error;
      throw new ClavigerError(
        'sealed',
        `The root key of ${what} cannot be reached; keys that are in use go on.`,
        {
          code: 'root_key_unreachable',
          hint: 'It works again as soon as the root key provider does; the log of the service tells what it answers.',
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
