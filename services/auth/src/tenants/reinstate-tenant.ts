import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { asTenant, isUniqueViolation, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { objectId } from '../object-id.ts';
import type { AuthSchema } from '../schema.ts';
import { changeStanding, lockTenant } from './change-standing.ts';
import { deliverStanding } from './deliver-standing.ts';
import type { TenantsDeps } from './deps.ts';
import { checkTenantName } from './tenant-name.ts';
import { readTenant } from './tenant-view.ts';

/**
 * The tenant is active again, with its data and API tokens. Sessions, links, grants and queued jobs of before stay dead. Also
 * takes a deprovisioning back until the retention is over; then another name is needed if its own was given away.
 */
export function reinstateTenant(deps: TenantsDeps): Handler<typeof tenants.TenantsService.reinstateTenant> {
  return async (request, context) => {
    const id = objectId(request.tenantId);
    context.auditSubject = { type: 'tenant', id };
    if (request.name) checkTenantName(request.name);
    try {
      await deps.database.withTenant(context.tenantId, async (tx) => {
        const tenant = await lockTenant(tx, id);
        if (tenant.status === 'deprovisioned') throw keysGone('are destroyed');
        // From here on some may be gone already, whether or not all are.
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
        await changeStanding(deps, tx, context, tenant, { standing: 'active', reason: request.reason, name });
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('conflict', 'Its name was given to another tenant meanwhile.', {
        code: 'tenant_exists',
        hint: 'Give a new name in the request.',
        cause: undefined,
      });
    }
    await deliverStanding(deps, id);
    return { tenant: await readTenant(deps, id) };
  };
}

/** By the clock of now, with the tenant locked: of this and the destruction, the later sees the earlier. */
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
