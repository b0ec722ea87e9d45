import type * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import type { Handlers } from '@claviger/service-kit';
import { tenantStatusHandlers } from '@claviger/tenancy';
import type { TenancyDeps } from './deps.ts';
import { describeTenant } from './describe-tenant.ts';
import { endPendingWork } from './end-pending-work.ts';

/** Handlers of changes of a tenant's status. */
export function tenantHandlers(
  deps: Pick<TenancyDeps, 'database' | 'emitter' | 'keys' | 'logger'>,
): Handlers<typeof tenantStatus.TenantStatusService> {
  return tenantStatusHandlers({
    database: deps.database,
    onChange: async (tx, { before, status, tenantId }) => {
      if (before !== 'active' || status === 'active') return;
      await endPendingWork(deps, tx, {
        tenantId,
        reason: 'The tenant was suspended before the rotation started.',
      });
    },
    afterChange: async ({ tenantId, status }) => {
      // Creates the key of a new tenant. A vault that cannot do so now creates it on the first write.
      if (status === 'active') await deps.keys.active(tenantId);
    },
    logger: deps.logger,
    describe: describeTenant,
  });
}
