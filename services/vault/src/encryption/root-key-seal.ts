import type { Database } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import {
  checkCanary,
  createCanary,
  fileRootKeyProvider,
  RootKeyError,
  type RootKeyProvider,
} from '@claviger/keyring';
import type { Logger } from '@claviger/service-kit';
import type { VaultSchema } from '../schema.ts';

/** Whether the vault has the root key that its database was set up with. */
export interface RootKeySeal extends Disposable {
  /** Throws `sealed` while it does not, `unavailable` while it cannot tell. */
  requireOpen(): RootKeyProvider;
  /** Known to be sealed. */
  isSealed(): boolean;
}

const RETRY_MS = 2_000;

type State =
  | { readonly kind: 'open'; readonly provider: RootKeyProvider }
  | { readonly kind: 'sealed'; readonly problem: string }
  | { readonly kind: 'unknown' };

/**
 * Checks the root key against the canary in the database. A sealed vault generates and overwrites nothing; it looks again
 * every two seconds, so that putting the right key file in its place is all that is needed.
 */
export async function openRootKeySeal(options: {
  database: Database<VaultSchema>;
  rootKeyFile: string;
  logger: Logger;
}): Promise<RootKeySeal> {
  let state: State = { kind: 'unknown' };
  let told = '';
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const look = async (): Promise<void> => {
    try {
      state = await examine(options.database, options.rootKeyFile);
      const problem = state.kind === 'sealed' ? state.problem : '';
      if (problem && problem !== told) options.logger.error({ problem }, 'the vault is sealed');
      if (!problem && told) options.logger.info('the vault is open');
      told = problem;
    } catch (error) {
      options.logger.warn({ err: error }, 'the root key could not be checked; it is tried again');
    }
    if (state.kind !== 'open' && !disposed) timer = setTimeout(() => void look(), RETRY_MS).unref();
  };
  await look();
  return {
    requireOpen: () => {
      if (state.kind === 'open') return state.provider;
      if (state.kind === 'sealed') {
        throw new ClavigerError('sealed', 'The vault is sealed: its root key is missing or another one.', {
          hint: 'An operator restores the root key file; `claviger doctor` and the log of the vault tell what is wrong.',
          retryAfterSeconds: 5,
        });
      }
      throw new ClavigerError('unavailable', 'The vault has not checked its root key yet.', {
        retryAfterSeconds: 1,
      });
    },
    isSealed: () => state.kind === 'sealed',
    [Symbol.dispose]: () => {
      disposed = true;
      clearTimeout(timer);
    },
  };
}

async function examine(database: Database<VaultSchema>, rootKeyFile: string): Promise<State> {
  let provider: RootKeyProvider;
  try {
    provider = await fileRootKeyProvider({ path: rootKeyFile });
  } catch (error) {
    if (error instanceof RootKeyError) return { kind: 'sealed', problem: error.message };
    throw error;
  }
  const stored = await storedCanary(database);
  if (stored === 'lost') {
    return {
      kind: 'sealed',
      problem: 'The database holds keys but no canary: restore it whole, from one backup.',
    };
  }
  const canary = stored ?? (await storeCanary(database, provider));
  if (await checkCanary(provider, canary)) return { kind: 'open', provider };
  return {
    kind: 'sealed',
    problem: `The root key ${provider.id} is not the one that this database was set up with: put the former one back.`,
  };
}

async function storedCanary(database: Database<VaultSchema>): Promise<Buffer | 'lost' | undefined> {
  return database.system(async (tx) => {
    const canary = await tx.selectFrom('root_key_canary').select('blob').executeTakeFirst();
    if (canary) return canary.blob;
    const kek = await tx.selectFrom('keks').select('tenant_id').limit(1).executeTakeFirst();
    return kek ? 'lost' : undefined;
  });
}

/** For an empty database. Of two that start at once the first one's canary stays, and both check against it. */
async function storeCanary(database: Database<VaultSchema>, provider: RootKeyProvider): Promise<Buffer> {
  const blob = await createCanary(provider);
  return database.system(async (tx) => {
    await tx
      .insertInto('root_key_canary')
      .values({ blob, provider_id: provider.id })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return (await tx.selectFrom('root_key_canary').select('blob').executeTakeFirstOrThrow()).blob;
  });
}
