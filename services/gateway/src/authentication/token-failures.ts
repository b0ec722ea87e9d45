import { ClavigerError, isClavigerError } from '@claviger/errors';
import type { Gate, LimitState } from '../limits/gate.ts';
import type { LimitKeys } from '../limits/limit-keys.ts';
import { type Tiers, TOKEN_FAILURES_AT_ONCE } from '../limits/tiers.ts';
import { createTurns } from './turns.ts';

/**
 * Which budget of an address a failure uses: `known` of tokens whose session has ended, `garbage` of what is no token of ours or out
 * of its time. Tokens that only auth knows have a third one, so that none of these keeps out an agent with a new token.
 */
export type Failure = 'garbage' | 'known';

/** Counts tokens that are not valid against the address that they come from. */
export interface TokenFailures {
  /** Counts one; answers the limit where there were too many, and undefined otherwise. */
  count(failure: Failure, sourceAddress: string): Promise<LimitState | undefined>;
  /**
   * Asks auth about a token that nobody here knows. It is counted as a failure before auth is asked, and given back when the token is
   * valid: many at once learn no more than many one after the other.
   */
  guarded<T>(sourceAddress: string, ask: () => Promise<T>): Promise<Guarded<T>>;
}

export type Guarded<T> = { readonly answer: T } | { readonly refused: LimitState };

/** `replicas`: how many gateways share the load, and with it what may be asked at once for one address. */
export function createTokenFailures(options: {
  readonly gate: Gate;
  readonly keys: LimitKeys;
  readonly tiers: Tiers;
  readonly replicas: number;
}): TokenFailures {
  const { gate, keys, tiers, replicas } = options;
  // What valid tokens have reserved together stays within the budget: a thousand agents behind one address wait for their turn.
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

/** Whether a token is not valid, which an outage never says. */
export function isInvalid(error: unknown): boolean {
  return isClavigerError(error) && error.reason === 'unauthenticated';
}

export function invalidToken(): ClavigerError {
  return new ClavigerError('unauthenticated', 'The token is not valid, or not valid any more.', {
    code: 'token_invalid',
    hint: 'Sign in again, or refresh the token.',
  });
}
