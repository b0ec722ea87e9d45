import * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { listBillingEvents, listTenantBillingEvents } from './billing/list-billing-events.ts';
import { createTenant } from './create-tenant.ts';
import { deprovisionTenant } from './deprovision-tenant.ts';
import { getDeletionRecord } from './get-deletion-record.ts';
import { getTenant } from './get-tenant.ts';
import { getTenantHealth } from './get-tenant-health.ts';
import { listTenants } from './list-tenants.ts';
import { reinstateTenant } from './reinstate-tenant.ts';
import { suspendTenant } from './suspend-tenant.ts';

export function addTenantHandlers(server: RpcServer, deps: AuthDeps): void {
  server.add(tenants.TenantsService, {
    listTenants: listTenants(deps),
    getTenant: getTenant(deps),
    createTenant: createTenant(deps),
    suspendTenant: suspendTenant(deps),
    reinstateTenant: reinstateTenant(deps),
    deprovisionTenant: deprovisionTenant(deps),
    getDeletionRecord: getDeletionRecord(deps),
    getTenantHealth: getTenantHealth(deps),
    listTenantBillingEvents: listTenantBillingEvents(deps),
    listBillingEvents: listBillingEvents(deps),
  });
}
