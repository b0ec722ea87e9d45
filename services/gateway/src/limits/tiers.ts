import { type MethodInfo, RateTier } from '@claviger/contracts';

/** A rate: `requests` within a window, spread evenly, at most `burst` at once (GCRA). */
export interface Tier {
  readonly name:
    | 'standard'
    | 'auth'
    | 'report'
    | 'agent'
    | 'tenant'
    | 'anonymous'
    | 'token-failure'
    | 'disclosure'
    | 'disclosure-day';
  readonly requests: number;
  readonly windowSeconds: number;
  readonly burst: number;
}

/** Limits that an operator can configure. */
export interface LimitSettings {
  readonly standardBurst: number;
  readonly tenantPerMinute: number;
  readonly anonymousPerMinute: number;
  readonly disclosuresPerMinute: number;
  readonly disclosuresPerDay: number;
}

export interface Tiers {
  /**
   * The limits of the reference documents: per user, API token or device; for public operations per address.
   */
  readonly standard: Tier;
  readonly auth: Tier;
  readonly report: Tier;
  readonly agent: Tier;
  /** All requests of one tenant, so that one tenant cannot exhaust the gateway. */
  readonly tenant: Tier;
  /** All anonymous requests. */
  readonly anonymous: Tier;
  /** Invalid tokens from one address: burst and rate together allow at most 100 in any minute. */
  readonly tokenFailure: Tier;
  /** Secrets disclosed to one person, per minute and per day. */
  readonly disclosure: readonly [Tier, Tier];
}

/** Per address. */
export const TOKEN_FAILURES_AT_ONCE = 20;

export function createTiers(settings: LimitSettings): Tiers {
  const evenly = (name: Tier['name'], requests: number, windowSeconds: number): Tier => ({
    name,
    requests,
    windowSeconds,
    burst: requests,
  });
  return {
    standard: { ...evenly('standard', 100, 60), burst: settings.standardBurst },
    auth: evenly('auth', 10, 60),
    report: evenly('report', 5, 3_600),
    agent: evenly('agent', 10, 1),
    tenant: evenly('tenant', settings.tenantPerMinute, 60),
    anonymous: evenly('anonymous', settings.anonymousPerMinute, 60),
    tokenFailure: { name: 'token-failure', requests: 80, windowSeconds: 60, burst: TOKEN_FAILURES_AT_ONCE },
    disclosure: [
      evenly('disclosure', settings.disclosuresPerMinute, 60),
      evenly('disclosure-day', settings.disclosuresPerDay, 86_400),
    ],
  };
}

/** The tier of a method in the contract. */
export function tierOf(method: MethodInfo, tiers: Tiers): Tier {
  switch (method.policy?.rateTier) {
    case RateTier.RATE_TIER_STANDARD:
      return tiers.standard;
    case RateTier.RATE_TIER_AUTH:
      return tiers.auth;
    case RateTier.RATE_TIER_REPORT:
      return tiers.report;
    case RateTier.RATE_TIER_AGENT:
      return tiers.agent;
    default:
      throw new Error(`${method.path} has a REST binding but no rate tier.`);
  }
}

/**
 * The disclosure budgets that a method also counts against; none for methods of auth, which disclose only
 * credentials that auth issues to their owner.
 */
export function budgetsOf(method: MethodInfo, tiers: Tiers): readonly Tier[] {
  return method.policy!.discloses && method.owner !== 'auth' ? tiers.disclosure : [];
}

/**
 * Converts a tier to the milliseconds of one request and of the whole burst. `share`: the number of limiters
 * that divide the tier.
 */
export function gcraOf(
  { requests, windowSeconds, burst }: Tier,
  share = 1,
): { costMs: number; burstMs: number } {
  const costMs = (windowSeconds * 1_000) / Math.max(1, Math.floor(requests / share));
  return { costMs, burstMs: costMs * Math.max(1, Math.floor(burst / share)) };
}

export function policyHeader(tier: Tier): string {
  return `"${tier.name}";q=${tier.requests};w=${tier.windowSeconds}`;
}
