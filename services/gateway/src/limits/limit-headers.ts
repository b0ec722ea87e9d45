import { ClavigerError } from '@claviger/errors';
import type { LimitState } from './gate.ts';
import { policyHeader } from './tiers.ts';

/** Headers that tell a client where it stands (draft-ietf-httpapi-ratelimit-headers). */
export function limitHeaders(state: LimitState): Record<string, string> {
  return {
    'RateLimit-Policy': policyHeader(state.tier),
    RateLimit: `"${state.tier.name}";r=${state.remaining};t=${seconds(state.resetMs)}`,
  };
}

/** Throws `rate_limited` when the limit refuses. */
export function enforce(state: LimitState | undefined): void {
  if (!state || state.allowed) return;
  const { requests, windowSeconds } = state.tier;
  throw new ClavigerError('rate_limited', 'There were too many requests.', {
    retryAfterSeconds: Math.max(1, seconds(state.retryAfterMs)),
    hint: `The limit here is ${requests} requests in ${windowSeconds} seconds.`,
  });
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
