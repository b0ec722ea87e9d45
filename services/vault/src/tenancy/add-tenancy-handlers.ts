import * as tenantStanding from '@claviger/contracts/cluster/v1/tenant_standing';
import * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import type { RpcServer } from '@claviger/service-kit';
import { tenantStandingHandlers } from '@claviger/tenancy';
import type { VaultDeps } from '../deps.ts';
import { destroyTenantKeys } from '../encryption/destroy-tenant-keys.ts';
import { describeTenant } from './describe-tenant.ts';
import { endWhatWaits } from './end-what-waits.ts';

export function addTenancyHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(
    tenantStanding.TenantStandingService,
    tenantStandingHandlers({
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
    }),
  );
  rpc.add(tenantKeys.TenantKeysService, { destroyTenantKeys: destroyTenantKeys(deps) });
}
