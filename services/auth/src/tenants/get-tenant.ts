import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Handler } from '@claviger/service-kit';
import type { TenantsDeps } from './deps.ts';
import { readTenant } from './tenant-view.ts';

export function getTenant(deps: TenantsDeps): Handler<typeof tenants.TenantsService.getTenant> {
  return async (request) => ({ tenant: await readTenant(deps, request.tenantId) });
}
