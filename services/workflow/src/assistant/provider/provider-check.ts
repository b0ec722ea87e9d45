import type { TargetPolicy } from '@claviger/outbound';
import { type Provider, providerProblem } from './chat-completion.ts';

const FRESH_MS = 60_000;
const TIMEOUT_MS = 3_000;
const MAX_TENANTS = 1_000;

/**
 * Checks a tenant's provider at most once a minute, whatever the number of callers. Returns the problem, or
 * an empty text.
 */
export type ProviderCheck = (tenantId: string, version: string, provider: Provider) => Promise<string>;

export function createProviderCheck(policy: () => TargetPolicy, timeoutMs = TIMEOUT_MS): ProviderCheck {
  const now = (): number => performance.now();
  const known = new Map<string, { version: string; askedAt: number; problem: Promise<string> }>();
  return (tenantId, version, provider) => {
    const before = known.get(tenantId);
    if (before?.version === version && now() - before.askedAt < FRESH_MS) return before.problem;
    const call = { policy: policy(), signal: AbortSignal.timeout(timeoutMs), timeoutMs };
    const problem = providerProblem(provider, call);
    problem.catch(() => known.delete(tenantId));
    known.delete(tenantId);
    known.set(tenantId, { version, askedAt: now(), problem });
    if (known.size > MAX_TENANTS) known.delete(known.keys().next().value!);
    return problem;
  };
}
