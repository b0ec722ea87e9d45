import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { objectId } from '../object-id.ts';
import { readTenant } from './tenant-view.ts';

export function getTenant(deps: AuthDeps): Handler<typeof tenants.TenantsService.getTenant> {
  return async (request) => ({ tenant: await readTenant(deps, objectId(request.tenantId)) });
}
