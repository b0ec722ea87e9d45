import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Handler } from '@claviger/service-kit';
import { requireWithinLicense } from '../license/license-usage.ts';
import { SETUP_LINK_TTL_MINUTES, setupUrl } from '../operator/create-setup-link.ts';
import { storeTenant, tenantExists } from '../operator/provision-tenant.ts';
import { createLink } from '../passwords/one-time-links.ts';
import { queueDeliveries } from './change-tenant-status.ts';
import { deliverTenantStatus } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';
import { checkTenantName } from './tenant-name.ts';
import { readTenant } from './tenant-view.ts';

/**
 * Creates a tenant with its keys and roles, and the one-time link for its first administrator, in one
 * transaction.
 */
export function createTenant(deps: TenantsDeps): Handler<typeof tenants.TenantsService.createTenant> {
  return async (request, context) => {
    const { name, displayName } = request;
    checkTenantName(name);
    await requireWithinLicense(deps, 'tenants');
    const made = await deps.database
      .withTenant(context.tenantId, async (tx) => {
        const created = await storeTenant(deps, tx, context, { name, displayName }, async (id) => {
          await queueDeliveries(deps, tx, id, 1);
          return createLink(tx, {
            tenantId: id,
            purpose: 'setup',
            userId: null,
            ttlMinutes: SETUP_LINK_TTL_MINUTES,
          });
        });
        await deps.emitter.audit(tx, context, {
          subject: { type: 'tenant', id: created.id },
          details: { name, displayName },
        });
        return created;
      })
      .catch(tenantExists);
    await deliverTenantStatus(deps, made.id);
    return {
      tenant: await readTenant(deps, made.id),
      setupUrl: setupUrl(deps, made.also.token),
      setupExpiresAt: made.also.expiresAt.toISOString(),
    };
  };
}
