import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { asTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { changeTenantStatus, lockTenant } from './change-tenant-status.ts';
import { deliverTenantStatus } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';
import { endAllAccess, notifyGateways } from './end-all-access.ts';
import { readTenant } from './tenant-view.ts';

/**
 * Answers when gateways and every reachable store have applied the status. If a store is unreachable, the
 * answer contains its name and the status `suspending`, and the duty repeats the delivery. Suspending again
 * notifies gateways and stores again.
 */
export function suspendTenant(deps: TenantsDeps): Handler<typeof tenants.TenantsService.suspendTenant> {
  return async (request, context) => {
    const id = request.tenantId;
    context.auditSubject = { type: 'tenant', id };
    const ended = await deps.database.withTenant(context.tenantId, async (tx) => {
      const tenant = await lockTenant(tx, id);
      if (tenant.status === 'deprovisioning' || tenant.status === 'deprovisioned') {
        throw new ClavigerError('conflict', 'The tenant is already being deprovisioned.', {
          code: 'wrong_status',
          hint: 'Its users cannot sign in. To keep the tenant, reinstate it first.',
        });
      }
      await deps.emitter.audit(tx, context, {
        reason: request.reason,
        details: { name: tenant.name, from: tenant.status, repeated: tenant.status === 'suspended' },
      });
      if (tenant.status === 'suspended') return asTenant(tx, id, () => endAllAccess(tx));
      return changeTenantStatus(deps, tx, context, tenant, { status: 'suspended', reason: request.reason });
    });
    const notified = await Promise.allSettled([notifyGateways(deps, ended), deliverTenantStatus(deps, id)]);
    for (const each of notified) if (each.status === 'rejected') throw each.reason;
    return { tenant: await readTenant(deps, id) };
  };
}
