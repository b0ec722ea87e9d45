import type { Tier } from './tiers.ts';

/** One limit that a request counts against. */
export interface Limit {
  readonly key: string;
  readonly tier: Tier;
}

export interface LimitState {
  readonly tier: Tier;
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until the next request would be allowed; 0 when it is now. */
  readonly retryAfterMs: number;
  /** Until the whole quota is there again. */
  readonly resetMs: number;
}

export interface GateAnswer {
  /** The tightest of the limits asked for; undefined when none was. */
  readonly limit: LimitState | undefined;
  /** What Redis holds for the session: its epoch, `revoked`, or undefined for nothing, or when Redis is away. */
  readonly live: string | undefined;
}

/** The one look that every request takes at shared state. Never throws: without Redis it answers from this process. */
export interface Gate {
  check(limits: readonly Limit[], sessionId: string | undefined): Promise<GateAnswer>;
  /** Takes back what was counted before it was known whether it counts. */
  giveBack(limits: readonly Limit[]): Promise<void>;
  /** Resolves when the shared state can be asked, or after the time: a start does not depend on it. */
  connected(withinMs: number): Promise<void>;
  /** Whether the shared state answers. */
  ping(): Promise<void>;
  close(): void;
}

/** What stands there for a session that was ended. */
export const REVOKED = 'revoked';

/** Where auth notes sessions: the epoch at which one was alive within the last minute, or `revoked`. */
export function liveKey(sessionId: string): string {
  return `claviger:live:{${sessionId}}`;
}

/** The limit that refuses longest, else the one with the least left. */
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
