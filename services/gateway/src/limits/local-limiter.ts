import type { Limit, LimitState } from './gate.ts';
import { gcraOf } from './tiers.ts';

const MAX_KEYS = 50_000;
const HALVED: ReadonlySet<string> = new Set(['auth', 'anonymous', 'token-failure']);

/**
 * GCRA in this process, used while Redis is unavailable. Stricter than the shared limits, because each
 * replica counts for itself.
 */
export interface LocalLimiter {
  check(limits: readonly Limit[]): LimitState[];
  /** Gives back counted requests. */
  giveBack(limits: readonly Limit[]): void;
}

/**
 * @param replicas Number of gateways that share the load. Limits of sign-in are halved in addition, against
 *   guessing.
 */
export function createLocalLimiter(replicas: number, now: () => number = Date.now): LocalLimiter {
  const fullAt = new Map<string, number>();
  const gcra = (tier: Limit['tier']) => gcraOf(tier, HALVED.has(tier.name) ? replicas * 2 : replicas);
  return {
    giveBack: (limits) => {
      for (const { key, tier } of limits) {
        const before = (fullAt.get(key) ?? 0) - gcra(tier).costMs;
        if (before > now()) fullAt.set(key, before);
        else fullAt.delete(key);
      }
    },
    check: (limits) => {
      const at = now();
      const next = limits.map(({ key, tier }) => {
        const { costMs, burstMs } = gcra(tier);
        const full = Math.max(fullAt.get(key) ?? at, at);
        const early = at - (full + costMs - burstMs);
        const allowed = early >= 0;
        const state: LimitState = {
          tier,
          allowed,
          remaining: allowed ? Math.floor(early / costMs) : 0,
          retryAfterMs: allowed ? 0 : Math.ceil(-early),
          resetMs: Math.ceil(allowed ? full + costMs - at : full - at),
        };
        return { key, full: full + costMs, state };
      });
      if (next.every(({ state }) => state.allowed)) {
        for (const { key, full } of next) {
          fullAt.delete(key);
          if (fullAt.size >= MAX_KEYS) fullAt.delete(fullAt.keys().next().value!);
          fullAt.set(key, full);
        }
      }
      return next.map(({ state }) => state);
    },
  };
}
