import { randomUUID } from 'node:crypto';
import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { asTenant, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { changeTenantStatus, lockTenant, type TenantRow } from './change-tenant-status.ts';
import { deliverTenantStatus } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';
import { type EndedAccess, notifyGateways } from './end-all-access.ts';
import { readTenant } from './tenant-view.ts';

/** Time within which a second person must confirm. */
const CONFIRM_HOURS = 24;

/**
 * The first call creates an order and changes nothing. The same call by another administrator within a day
 * confirms it: the tenant is suspended, and its keys are destroyed when the retention ends. Until then it can
 * be reinstated.
 */
export function deprovisionTenant(
  deps: TenantsDeps,
): Handler<typeof tenants.TenantsService.deprovisionTenant> {
  return async (request, context) => {
    const id = request.tenantId;
    context.auditSubject = { type: 'tenant', id };
    const ended = await deps.database.withTenant(context.tenantId, async (tx) => {
      const tenant = await lockTenant(tx, id);
      if (tenant.status === 'deprovisioning' || tenant.status === 'deprovisioned') {
        throw new ClavigerError('conflict', 'The tenant is already being deprovisioned.', {
          code: 'wrong_status',
        });
      }
      const order = await asTenant(tx, id, () => openOrder(tx));
      if (!order) {
        await asTenant(tx, id, () => placeOrder(tx, context, id, request.reason));
        await audit(deps, tx, context, tenant, request.reason, 'ordered');
        return undefined;
      }
      if (order.ordered_by === context.actor.userId) {
        throw new ClavigerError('conflict', 'Another administrator must confirm this.', {
          code: 'second_person_needed',
          hint: 'That administrator must send the same request within a day of the order.',
        });
      }
      await asTenant(tx, id, () => confirmOrder(deps, tx, context, order.id));
      await audit(deps, tx, context, tenant, request.reason, 'confirmed');
      return changeTenantStatus(deps, tx, context, tenant, {
        status: 'deprovisioning',
        reason: request.reason,
      });
    });
    if (ended) await notifyAll(deps, id, ended);
    return { tenant: await readTenant(deps, id) };
  };
}

async function notifyAll(deps: TenantsDeps, id: string, ended: EndedAccess): Promise<void> {
  const notified = await Promise.allSettled([notifyGateways(deps, ended), deliverTenantStatus(deps, id)]);
  for (const each of notified) if (each.status === 'rejected') throw each.reason;
}

/** Returns the order that awaits confirmation; closes one whose time has passed. */
async function openOrder(tx: Tx<AuthSchema>) {
  await tx
    .updateTable('deprovision_orders')
    .set({ state: 'lapsed', ended_at: sql<Date>`now()` })
    .where('state', '=', 'awaiting-confirmation')
    .where('confirm_until', '<=', sql<Date>`now()`)
    .execute();
  return tx
    .selectFrom('deprovision_orders')
    .select(['id', 'ordered_by'])
    .where('state', '=', 'awaiting-confirmation')
    .executeTakeFirst();
}

async function placeOrder(
  tx: Tx<AuthSchema>,
  context: CallContext,
  tenantId: string,
  reason: string,
): Promise<void> {
  await tx
    .insertInto('deprovision_orders')
    .values({
      tenant_id: tenantId,
      id: randomUUID(),
      state: 'awaiting-confirmation',
      reason,
      ordered_by: context.actor.userId,
      ordered_by_name: context.actor.userName,
      confirm_until: sql<Date>`now() + make_interval(hours => ${CONFIRM_HOURS})`,
      confirmed_by: null,
      confirmed_by_name: null,
      confirmed_at: null,
      destroy_at: null,
      ended_at: null,
      next_try_at: null,
    })
    .execute();
}

async function confirmOrder(
  deps: Pick<TenantsDeps, 'config'>,
  tx: Tx<AuthSchema>,
  context: CallContext,
  orderId: string,
): Promise<void> {
  const { retentionDays } = deps.config.tenants;
  await tx
    .updateTable('deprovision_orders')
    .set({
      state: 'confirmed',
      confirmed_by: context.actor.userId,
      confirmed_by_name: context.actor.userName,
      confirmed_at: sql<Date>`now()`,
      destroy_at: sql<Date>`now() + make_interval(days => ${retentionDays})`,
    })
    .where('id', '=', orderId)
    .execute();
}

function audit(
  deps: Pick<TenantsDeps, 'emitter'>,
  tx: Tx<AuthSchema>,
  context: CallContext,
  tenant: TenantRow,
  reason: string,
  step: 'ordered' | 'confirmed',
) {
  return deps.emitter.audit(tx, context, {
    reason,
    details: { name: tenant.name, from: tenant.status, step },
  });
}
