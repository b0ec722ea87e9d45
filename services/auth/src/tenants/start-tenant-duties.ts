import type { DutyHost } from '@claviger/cluster';
import { startMetering } from './billing/meter-tenants.ts';
import { startTenantStatusDeliveries } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';
import { startTenantDestruction } from './destroy-due-tenants.ts';

/** Starts the duties for tenants, which the leader executes. */
export function startTenantDuties(
  deps: Pick<TenantsDeps, 'database' | 'emitter' | 'logger' | 'tenantPeers'>,
  cluster: DutyHost,
): AsyncDisposable {
  const duties = [
    startTenantStatusDeliveries(deps, cluster),
    startTenantDestruction(deps, cluster),
    startMetering(deps, cluster),
  ];
  return {
    [Symbol.asyncDispose]: async () => {
      for (const duty of duties) await duty?.[Symbol.asyncDispose]();
    },
  };
}
