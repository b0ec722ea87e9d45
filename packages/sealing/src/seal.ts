import { ClavigerError } from '@claviger/errors';
import {
  openRootKey,
  type RootKeyConfig,
  RootKeyError,
  type RootKeyHealth,
  type RootKeyProvider,
} from '@claviger/keyring';
import type { CanaryStore } from './canary-store.ts';
import { matchesCanary } from './matches-canary.ts';
import { reportingOutages } from './reporting-outages.ts';
import { createShareCollection, type SharePart } from './share-collection.ts';

/** The status of a seal. Safe to log. */
export interface SealStatus {
  readonly provider: RootKeyConfig['provider'];
  readonly state: 'open' | 'sealed' | 'unknown';
  /** What is wrong and what to do; empty while open. */
  readonly problem: string;
  /** The key reference, while open. */
  readonly keyId: string;
  readonly sharesGiven: number;
  /** The threshold in the shares; 0 before the first share. */
  readonly sharesNeeded: number;
}

/** Whether a service has the root key that its database was set up with. */
export interface Seal extends Disposable {
  /** Throws `sealed` without the root key, and `unavailable` while its state is unknown. */
  requireOpen(): RootKeyProvider;
  /** Whether the service is known to be sealed. */
  isSealed(): boolean;
  status(): SealStatus;
  /** Throws an error for the operator while the provider cannot unwrap. */
  checkProvider(): Promise<void>;
  /** The last required share opens the seal. Throws `invalid`; wrong shares are all discarded. */
  submitShare(part: SharePart, options: { initialise: boolean }): Promise<void>;
  discardShares(): void;
  /**
   * Drops the root key at once and calls `onClose`. Stays sealed until `reopen`, shares, or the next start.
   */
  close(): void;
  /** Reads the root key from the provider again. Not for shares. */
  reopen(): Promise<void>;
}

export interface SealOptions {
  readonly config: RootKeyConfig;
  readonly canary: CanaryStore;
  /** For messages, e.g. `the vault`. */
  readonly what: string;
  readonly logger: {
    info(message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Must drop everything that was decrypted with the root key. */
  readonly onClose?: () => void;
}

const RETRY_MS = 2_000;
const HEALTH_FOR_MS = 15_000;

type State =
  | { readonly kind: 'open'; readonly provider: RootKeyProvider; readonly guarded: RootKeyProvider }
  | { readonly kind: 'sealed'; readonly problem: string }
  | { readonly kind: 'unknown'; readonly problem: string };

/**
 * Checks the root key against the canary in the database, and again every two seconds until it is right:
 * installing the right key is enough. A sealed service neither generates nor overwrites keys. With shares, it
 * waits for people.
 */
export async function openSeal(options: SealOptions): Promise<Seal> {
  const { config, canary, what, logger } = options;
  const shares = createShareCollection();
  let state: State = { kind: 'unknown', problem: 'The root key is not checked yet.' };
  let told = '';
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  let held = false;
  // Incremented by each closing, so that an earlier attempt cannot open the seal afterwards.
  let era = 0;
  let healthUntilMs = 0;
  let health: Promise<RootKeyHealth> = Promise.resolve({ ok: true });

  const enter = (next: State): void => {
    state = next;
    const problem = next.kind === 'sealed' ? next.problem : '';
    if (problem && problem !== told) logger.error({ problem }, `${what} is sealed`);
    if (next.kind === 'open' && told) logger.info(`${what} is open`);
    if (next.kind !== 'unknown') told = problem;
  };
  const open = (provider: RootKeyProvider): void => {
    shares.discard();
    enter({ kind: 'open', provider, guarded: reportingOutages(provider, what) });
  };
  const look = async (): Promise<void> => {
    const begun = era;
    let next: State | RootKeyProvider;
    try {
      next = await examine(options);
    } catch (error) {
      logger.warn({ err: error }, 'cannot check the root key; it is tried again');
      next = {
        kind: 'unknown',
        problem: error instanceof RootKeyError ? error.message : 'The root key cannot be checked.',
      };
    }
    if (begun !== era || held || disposed || state.kind === 'open') {
      if ('wrap' in next) next.close();
      return;
    }
    if ('wrap' in next) return open(next);
    enter(next);
    // Shares come from people, so checking again only helps when the database did not answer.
    if (config.provider !== 'shamir' || next.kind === 'unknown')
      timer = setTimeout(() => void look(), RETRY_MS).unref();
  };
  await look();

  return {
    requireOpen: () => {
      if (state.kind === 'open') return state.guarded;
      if (state.kind === 'sealed') {
        throw new ClavigerError('sealed', `${capital(what)} is sealed: it does not have its root key.`, {
          hint: 'An operator must provide the root key: `claviger unseal` and the log of the service show what is missing.',
          retryAfterSeconds: 5,
        });
      }
      throw new ClavigerError('unavailable', `${capital(what)} has not checked its root key yet.`, {
        retryAfterSeconds: 1,
      });
    },
    isSealed: () => state.kind === 'sealed',
    status: () => ({
      provider: config.provider,
      state: state.kind,
      problem: state.kind === 'open' ? '' : state.problem,
      keyId: state.kind === 'open' ? state.provider.id : '',
      sharesGiven: shares.given,
      sharesNeeded: shares.needed,
    }),
    checkProvider: async () => {
      if (state.kind !== 'open') return;
      // Probes run every few seconds, and cloud providers charge for each call.
      if (performance.now() >= healthUntilMs) {
        healthUntilMs = performance.now() + HEALTH_FOR_MS;
        health = state.provider.health();
      }
      const answer = await health;
      if (!answer.ok) throw new Error(answer.problem);
    },
    submitShare: async (part, { initialise }) => {
      requireShares(config);
      if (state.kind === 'open') return;
      shares.add(part);
      if (!shares.complete) return;
      const begun = era;
      const provider = shares.combine();
      let verdict: boolean;
      try {
        verdict = provider !== undefined && (await matchesCanary(provider, canary, { initialise }));
      } catch (error) {
        // The database did not answer: the shares are kept, and the last one can be submitted again.
        provider?.close();
        if (error instanceof ClavigerError) shares.discard();
        throw error;
      }
      if (!verdict || provider === undefined) {
        provider?.close();
        shares.discard();
        logger.error({}, 'the submitted shares do not form the root key; all were discarded');
        throw new ClavigerError('invalid', 'These shares do not form the root key of this database.', {
          code: 'wrong_shares',
          hint: 'At least one share is wrong. All were discarded: submit all shares again.',
        });
      }
      if (begun !== era || disposed) {
        provider.close();
        throw new ClavigerError('conflict', 'The service was sealed again in the meantime.', {
          code: 'sealed_again',
        });
      }
      held = false;
      open(provider);
    },
    discardShares: () => shares.discard(),
    close: () => {
      era += 1;
      held = true;
      clearTimeout(timer);
      shares.discard();
      const last = state;
      enter({
        kind: 'sealed',
        problem:
          config.provider === 'shamir'
            ? 'An operator sealed it. Submit the shares with `claviger unseal`.'
            : 'An operator sealed it. Open it with `claviger unseal` or a restart.',
      });
      if (last.kind === 'open') last.provider.close();
      options.onClose?.();
    },
    reopen: async () => {
      if (config.provider === 'shamir')
        throw new ClavigerError('invalid', 'This root key is provided by shares.', { code: 'shares_needed' });
      held = false;
      if (state.kind === 'open') return;
      clearTimeout(timer);
      await look();
    },
    [Symbol.dispose]: () => {
      disposed = true;
      clearTimeout(timer);
      shares.discard();
      if (state.kind === 'open') state.provider.close();
    },
  };
}

/** The open provider, or why there is none. @throws when provider or database do not answer. */
async function examine({ config, canary }: SealOptions): Promise<State | RootKeyProvider> {
  let provider: RootKeyProvider | undefined;
  try {
    provider = await openRootKey(config);
    const stored = await canary.read();
    if (stored === 'lost') {
      provider?.close();
      return {
        kind: 'sealed',
        problem: 'The database has data but no canary: restore all of it from one backup.',
      };
    }
    if (provider === undefined)
      return {
        kind: 'sealed',
        problem:
          stored === undefined
            ? 'There is no root key yet: create its shares with `claviger unseal --init`.'
            : 'Submit the shares with `claviger unseal`.',
      };
    if (await matchesCanary(provider, canary, { initialise: true })) return provider;
    provider.close();
    return {
      kind: 'sealed',
      problem: `The root key ${provider.id} is not the one that this database was set up with: restore the former one.`,
    };
  } catch (error) {
    provider?.close();
    if (error instanceof RootKeyError && error.code !== 'unreachable')
      return { kind: 'sealed', problem: error.message };
    throw error;
  }
}

function requireShares(config: RootKeyConfig): void {
  if (config.provider === 'shamir') return;
  throw new ClavigerError('invalid', 'This root key is not provided by shares.', {
    code: 'not_by_shares',
    hint: `Its provider is ${config.provider}; see rootKey.provider in the configuration.`,
  });
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
