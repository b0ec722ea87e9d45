import type { Limit, LimitState } from './gate.ts';
import { gcraOf } from './tiers.ts';

const MAX_KEYS = 50_000;
const HALVED: ReadonlySet<string> = new Set(['auth', 'anonymous']);

/** GCRA in this process, for the time that Redis is away. Stricter than the shared one: other replicas count apart. */
export interface LocalLimiter {
  check(limits: readonly Limit[], count?: boolean): LimitState[];
}

/** `replicas`: how many gateways share the load. Limits for sign-in are halved besides: guessing must not pay. */
export function createLocalLimiter(replicas: number, now: () => number = Date.now): LocalLimiter {
  const fullAt = new Map<string, number>();
  return {
    check: (limits, count = true) => {
      const at = now();
      const next = limits.map(({ key, tier }) => {
        const { costMs, burstMs } = gcraOf(tier, HALVED.has(tier.name) ? replicas * 2 : replicas);
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
      if (count && next.every(({ state }) => state.allowed)) {
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
