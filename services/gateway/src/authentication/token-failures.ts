import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { Gate, LimitState } from '../limits/gate.ts';
import type { LimitKeys } from '../limits/limit-keys.ts';
import { type Tiers, TOKEN_FAILURES_AT_ONCE } from '../limits/tiers.ts';
import { createTurns } from './turns.ts';

/**
 * The budget that a failure counts against: `known` for tokens of ended sessions, `garbage` for unreadable,
 * foreign or expired tokens. Unknown tokens have a third budget, so that these failures cannot block an agent
 * with a new token.
 */
export type Failure = 'garbage' | 'known';

/** Counts invalid tokens against their source address. */
export interface TokenFailures {
  /** Counts one failure. Returns the limit when it is exceeded, otherwise undefined. */
  count(failure: Failure, sourceAddress: string): Promise<LimitState | undefined>;
  /**
   * Introspects an unknown token. Counts a failure before it asks auth, and gives it back for a valid token,
   * so that parallel guesses gain nothing.
   */
  guarded<T>(sourceAddress: string, ask: () => Promise<T>): Promise<Guarded<T>>;
}

export type Guarded<T> = { readonly answer: T } | { readonly refused: LimitState };

/**
 * @param options.replicas Number of gateways that share the load and the parallel introspections of an
 *   address.
 */
export function createTokenFailures(options: {
  readonly gate: Gate;
  readonly keys: LimitKeys;
  readonly tiers: Tiers;
  readonly replicas: number;
}): TokenFailures {
  const { gate, keys, tiers, replicas } = options;
  // Bounds the failures that are counted in advance for valid tokens: many agents behind one address wait.
  const turns = createTurns(Math.max(1, Math.floor(TOKEN_FAILURES_AT_ONCE / (2 * replicas))));
  return {
    count: async (failure, sourceAddress) => {
      const key = keys.address(`token-${failure}`, sourceAddress);
      const { limit } = await gate.check([{ key, tier: tiers.tokenFailure }], undefined);
      return limit && !limit.allowed ? limit : undefined;
    },
    guarded: (sourceAddress, ask) => {
      const key = keys.address('token-unknown', sourceAddress);
      const limits = [
        { key, tier: tiers.tokenFailure },
        { key: keys.anonymous, tier: tiers.anonymous },
      ];
      return turns.take(key, async () => {
        const { limit } = await gate.check(limits, undefined);
        if (limit && !limit.allowed) return { refused: limit };
        try {
          const answer = await ask();
          await gate.giveBack(limits);
          return { answer };
        } catch (error) {
          if (!isInvalid(error)) await gate.giveBack(limits);
          throw error;
        }
      });
    },
  };
}

/** Whether an error means an invalid token; an outage never does. */
export function isInvalid(error: unknown): boolean {
  return isClavigerError(error) && error.reason === 'unauthenticated';
}

export function invalidToken(): ClavigerError {
  return new ClavigerError('unauthenticated', 'The token is invalid or has expired.', {
    code: 'token_invalid',
    hint: 'Sign in again, or refresh the token.',
  });
}
