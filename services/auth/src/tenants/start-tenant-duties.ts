import type { DutyHost } from '@claviger/cluster';
import type { AuthDeps } from '../deps.ts';
import { startMetering } from './billing/meter-tenants.ts';
import { startStandingDeliveries } from './deliver-standing.ts';
import { startTenantDestruction } from './destroy-due-tenants.ts';

/** What goes on for tenants by itself, on the replica that leads. */
export function startTenantDuties(
  deps: Pick<AuthDeps, 'database' | 'emitter' | 'logger' | 'tenantPeers'>,
  cluster: DutyHost,
): AsyncDisposable {
  const duties = [
    startStandingDeliveries(deps, cluster),
    startTenantDestruction(deps, cluster),
    startMetering(deps, cluster),
  ];
  return {
    [Symbol.asyncDispose]: async () => {
      for (const duty of duties) await duty?.[Symbol.asyncDispose]();
    },
  };
}
