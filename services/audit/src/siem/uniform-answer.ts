import type * as siem from '@claviger/contracts/audit/v1/siem';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import { type CallContext, permits } from '@claviger/service-kit';

const UNIFORM_HINT = 'A user with permission config.update sees the reason in the same test.';

/**
 * Actors who may configure destinations see the reason of a failure. For others all failures look the same,
 * so that the test does not reveal which addresses are reachable.
 */
export function maySeeReason({ actor }: Pick<CallContext, 'actor'>): boolean {
  return permits(actor.permissions, 'config.update');
}

export function uniform(result: siem.SiemTestResult): siem.SiemTestResult {
  if (result.ok) return result;
  return { ...result, latencyMs: 0, problem: UNIFORM_PROBLEM, hint: UNIFORM_HINT };
}
