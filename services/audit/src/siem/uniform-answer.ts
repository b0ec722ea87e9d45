import type * as siem from '@claviger/contracts/audit/v1/siem';
import { UNIFORM_PROBLEM } from '@claviger/outbound';
import { type CallContext, permits } from '@claviger/service-kit';

const UNIFORM_HINT = 'Somebody with config.update sees why in the same test.';

/** Who sets where the targets are may see what is reachable; for others each failure looks the same. */
export function seesTheWay({ actor }: Pick<CallContext, 'actor'>): boolean {
  return permits(actor.permissions, 'config.update');
}

export function uniform(result: siem.SiemTestResult): siem.SiemTestResult {
  if (result.ok) return result;
  return { ...result, latencyMs: 0, problem: UNIFORM_PROBLEM, hint: UNIFORM_HINT };
}
