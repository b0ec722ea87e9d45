import { type MethodInfo, RateTier } from '@claviger/contracts';

/** So many requests in a window, spread over it; at most `burst` of them at once (GCRA). */
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

/** What an operator may choose. */
export interface LimitSettings {
  readonly standardBurst: number;
  readonly tenantPerMinute: number;
  readonly anonymousPerMinute: number;
  readonly disclosuresPerMinute: number;
  readonly disclosuresPerDay: number;
}

export interface Tiers {
  /** As the reference documents state them, by user, API token or device; of public operations by address. */
  readonly standard: Tier;
  readonly auth: Tier;
  readonly report: Tier;
  readonly agent: Tier;
  /** All requests of one tenant: one that runs wild leaves the others room. */
  readonly tenant: Tier;
  /** All requests of nobody in particular. */
  readonly anonymous: Tier;
  /** Tokens from one address that are not valid: never more than 100 in any minute, which is the burst and the pace together. */
  readonly tokenFailure: Tier;
  /** Secrets that one person is shown: who needs more than that is worth a look. */
  readonly disclosure: readonly [Tier, Tier];
}

/** Of one address. */
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

/** The tier that the contract gives a method. */
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

/** The budgets that a method counts against beside its tier. Credentials that auth makes are the caller's own affair. */
export function budgetsOf(method: MethodInfo, tiers: Tiers): readonly Tier[] {
  return method.policy!.discloses && method.owner !== 'auth' ? tiers.disclosure : [];
}

/** Milliseconds that one request costs, and those of a whole burst; `share`: how many limiters divide the tier. */
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
