import type * as tenantStanding from '@claviger/contracts/cluster/v1/tenant_standing';
import type { Handlers } from '@claviger/service-kit';
import { tenantStandingHandlers } from '@claviger/tenancy';
import type { TenancyDeps } from './deps.ts';
import { describeTenant } from './describe-tenant.ts';
import { endWhatWaits } from './end-what-waits.ts';

/** How the vault follows the standing of tenants. */
export function tenantHandlers(
  deps: Pick<TenancyDeps, 'database' | 'emitter' | 'keys' | 'logger'>,
): Handlers<typeof tenantStanding.TenantStandingService> {
  return tenantStandingHandlers({
    database: deps.database,
    onChange: async (tx, { before, standing, tenantId }) => {
      if (before !== 'active' || standing === 'active') return;
      await endWhatWaits(deps, tx, { tenantId, reason: 'The tenant was suspended before it began.' });
    },
    afterChange: async ({ tenantId, standing }) => {
      // A new tenant gets its key at once. A vault that cannot make one now makes it at the first write.
      if (standing === 'active') await deps.keys.active(tenantId);
    },
    logger: deps.logger,
    describe: describeTenant,
  });
}
