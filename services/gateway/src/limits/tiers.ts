import { type MethodInfo, RateTier } from '@claviger/contracts';

/** So many requests in a window, all at once or spread over it (GCRA). */
export interface Tier {
  readonly name: 'standard' | 'auth' | 'report' | 'agent';
  readonly requests: number;
  readonly windowSeconds: number;
}

/** As the reference documents state them. */
export const TIERS = {
  standard: { name: 'standard', requests: 100, windowSeconds: 60 },
  auth: { name: 'auth', requests: 10, windowSeconds: 60 },
  report: { name: 'report', requests: 5, windowSeconds: 3_600 },
  agent: { name: 'agent', requests: 10, windowSeconds: 1 },
} as const satisfies Record<string, Tier>;

/** The tier that the contract gives a method. */
export function tierOf(method: MethodInfo): Tier {
  switch (method.policy?.rateTier) {
    case RateTier.RATE_TIER_STANDARD:
      return TIERS.standard;
    case RateTier.RATE_TIER_AUTH:
      return TIERS.auth;
    case RateTier.RATE_TIER_REPORT:
      return TIERS.report;
    case RateTier.RATE_TIER_AGENT:
      return TIERS.agent;
    default:
      throw new Error(`${method.path} has a REST binding but no rate tier.`);
  }
}

export function policyHeader(tier: Tier): string {
  return `"${tier.name}";q=${tier.requests};w=${tier.windowSeconds}`;
}
