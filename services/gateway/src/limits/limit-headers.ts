import { ClavigerError } from '@claviger/errors';
import type { LimitState } from './gate.ts';
import { policyHeader } from './tiers.ts';

const SCOPES: Readonly<Record<string, string>> = {
  tenant: 'of all requests of a tenant',
  anonymous: 'of all anonymous requests',
  'token-failure': 'of invalid tokens from one address',
};

/** Headers with the state of a limit (draft-ietf-httpapi-ratelimit-headers). */
export function limitHeaders(state: LimitState): Record<string, string> {
  return {
    'RateLimit-Policy': policyHeader(state.tier),
    RateLimit: `"${state.tier.name}";r=${state.remaining};t=${seconds(state.resetMs)}`,
  };
}

/** Throws `rate_limited` when the limit refuses. */
export function enforce(state: LimitState | undefined): void {
  if (!state || state.allowed) return;
  const { name, requests, windowSeconds, burst } = state.tier;
  const retryAfterSeconds = Math.max(1, seconds(state.retryAfterMs));
  const rule = `${requests} requests in ${windowSeconds} seconds${burst < requests ? `, ${burst} of them at once` : ''}`;
  if (name === 'disclosure' || name === 'disclosure-day') {
    throw new ClavigerError('rate_limited', 'The limit of disclosed secrets is reached.', {
      code: 'disclosure_budget',
      retryAfterSeconds,
      hint: `A person can retrieve ${requests} secrets in ${windowSeconds} seconds.`,
    });
  }
  throw new ClavigerError('rate_limited', 'There were too many requests.', {
    retryAfterSeconds,
    hint: `The limit ${SCOPES[name] ?? 'here'} is ${rule}.`,
  });
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000);
}
