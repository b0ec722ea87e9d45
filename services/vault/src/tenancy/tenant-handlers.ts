import type * as tenantStanding from '@claviger/contracts/cluster/v1/tenant_standing';
import type { Handlers } from '@claviger/service-kit';
import { tenantStatusHandlers } from '@claviger/tenancy';
import type { TenancyDeps } from './deps.ts';
import { describeTenant } from './describe-tenant.ts';
import { endPendingWork } from './end-pending-work.ts';

/** Handlers of changes of a tenant's status. */
export function tenantHandlers(
  deps: Pick<TenancyDeps, 'database' | 'emitter' | 'keys' | 'logger'>,
): Handlers<typeof tenantStanding.TenantStandingService> {
  return tenantStatusHandlers({
    database: deps.database,
    onChange: async (tx, { before, standing, tenantId }) => {
      if (before !== 'active' || standing === 'active') return;
      await endPendingWork(deps, tx, {
        tenantId,
        reason: 'The tenant was suspended before the rotation started.',
      });
    },
    afterChange: async ({ tenantId, standing }) => {
      // Creates the key of a new tenant. A vault that cannot do so now creates it on the first write.
      if (standing === 'active') await deps.keys.active(tenantId);
    },
    logger: deps.logger,
    describe: describeTenant,
  });
}
