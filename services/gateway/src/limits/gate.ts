import type { Tier } from './tiers.ts';

/** A limit that a request counts against. */
export interface Limit {
  readonly key: string;
  readonly tier: Tier;
}

export interface LimitState {
  readonly tier: Tier;
  readonly allowed: boolean;
  readonly remaining: number;
  /** Time until the next request is allowed; 0 when allowed now. */
  readonly retryAfterMs: number;
  /** Time until the full quota is available. */
  readonly resetMs: number;
}

export interface GateAnswer {
  /** The tightest of the checked limits; undefined when there are none. */
  readonly limit: LimitState | undefined;
  /**
   * The state of the session in Redis: its epoch or `revoked`; undefined when absent or Redis is unavailable.
   */
  readonly live: string | undefined;
}

/**
 * Checks rate limits and session liveness, in one Redis round trip per request. `check` never throws: without
 * Redis, it counts the limits in this process.
 */
export interface Gate {
  check(limits: readonly Limit[], sessionId: string | undefined): Promise<GateAnswer>;
  /** Gives back counted requests. */
  giveBack(limits: readonly Limit[]): Promise<void>;
  /** Resolves when Redis is connected or the time has passed: the gateway also starts without Redis. */
  connected(withinMs: number): Promise<void>;
  /** Rejects when Redis does not answer. */
  ping(): Promise<void>;
  close(): void;
}

/** State of an ended session in Redis. */
export const REVOKED = 'revoked';

/** Where auth stores session liveness: the epoch at which it was alive in the last minute, or `revoked`. */
export function liveKey(sessionId: string): string {
  return `claviger:live:{${sessionId}}`;
}

/** Returns the limit that refuses longest, otherwise the one with the fewest requests left. */
export function tightest(states: readonly LimitState[]): LimitState | undefined {
  let worst: LimitState | undefined;
  for (const state of states) {
    if (
      !worst ||
      state.retryAfterMs > worst.retryAfterMs ||
      (state.retryAfterMs === worst.retryAfterMs && state.remaining < worst.remaining)
    ) {
      worst = state;
    }
  }
  return worst;
}
