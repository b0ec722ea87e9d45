import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { asTenant, isUniqueViolation, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { changeTenantStatus, lockTenant } from './change-tenant-status.ts';
import { deliverTenantStatus } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';
import { checkTenantName } from './tenant-name.ts';
import { readTenant } from './tenant-view.ts';

/**
 * Makes the tenant active again, with its data and API tokens. Former sessions, links, grants and queued jobs
 * stay ended. Until the retention ends, it also withdraws a deprovisioning; a new name is required if another
 * tenant now has the former one.
 */
export function reinstateTenant(deps: TenantsDeps): Handler<typeof tenants.TenantsService.reinstateTenant> {
  return async (request, context) => {
    const id = request.tenantId;
    context.auditSubject = { type: 'tenant', id };
    if (request.name) checkTenantName(request.name);
    try {
      await deps.database.withTenant(context.tenantId, async (tx) => {
        const tenant = await lockTenant(tx, id);
        if (tenant.status === 'deprovisioned') throw keysGone('are destroyed');
        // When the retention has ended, some of the keys may already be destroyed.
        if (await asTenant(tx, id, () => retentionIsOver(tx))) throw keysGone('are being destroyed');
        if (tenant.status === 'active') {
          throw new ClavigerError('conflict', 'The tenant is not suspended.', { code: 'wrong_status' });
        }
        const name = request.name || undefined;
        await deps.emitter.audit(tx, context, {
          reason: request.reason,
          details: { name: name ?? tenant.name, from: tenant.status },
        });
        await asTenant(tx, id, () =>
          tx
            .updateTable('deprovision_orders')
            .set({ state: 'withdrawn', ended_at: sql<Date>`now()` })
            .where('ended_at', 'is', null)
            .execute(),
        );
        await changeTenantStatus(deps, tx, context, tenant, {
          status: 'active',
          reason: request.reason,
          name,
        });
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('conflict', 'Another tenant now has this name.', {
        code: 'tenant_exists',
        hint: 'Set a new name in the request.',
        cause: undefined,
      });
    }
    await deliverTenantStatus(deps, id);
    return { tenant: await readTenant(deps, id) };
  };
}

/**
 * Uses clock_timestamp() with the tenant locked: the later of a reinstatement and a destruction thus sees the
 * earlier one.
 */
async function retentionIsOver(tx: Tx<AuthSchema>): Promise<boolean> {
  const order = await tx
    .selectFrom('deprovision_orders')
    .select('id')
    .where('state', '=', 'confirmed')
    .where('destroy_at', '<=', sql<Date>`clock_timestamp()`)
    .executeTakeFirst();
  return order !== undefined;
}

const keysGone = (what: string): ClavigerError =>
  new ClavigerError('gone', `The keys of this tenant ${what}.`, { code: 'tenant_deprovisioned' });
