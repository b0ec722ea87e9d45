import { applyTenantStatus, asTenant, type TenantStatus, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { type Selectable, sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { TenantsDeps } from './deps.ts';
import { type EndedAccess, endAllAccess } from './end-all-access.ts';

export type TenantRow = Selectable<AuthSchema['tenants']>;

export interface TenantStatusChange {
  readonly status: TenantStatus;
  readonly reason: string;
  /** A new name, if another tenant has the former one. */
  readonly name?: string | undefined;
}

/**
 * Returns and locks the tenant until the transaction ends. Throws `not_found`, or `conflict` for the
 * platform's tenant.
 */
export async function lockTenant(tx: Tx<AuthSchema>, id: string): Promise<TenantRow> {
  const row = await tx
    .selectFrom('tenants')
    .selectAll()
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  if (row.platform) {
    throw new ClavigerError('conflict', 'This tenant runs the installation and must stay active.', {
      code: 'platform_tenant',
    });
  }
  return row;
}

/**
 * Changes the status of a tenant in the caller's transaction: its row, auth's own status table and the queue
 * of deliveries to stores. Unless the tenant becomes active, all access ends. The tenant's own audit log also
 * gets the event.
 */
export async function changeTenantStatus(
  deps: Pick<TenantsDeps, 'emitter' | 'tenantPeers'>,
  tx: Tx<AuthSchema>,
  context: CallContext,
  tenant: TenantRow,
  order: TenantStatusChange,
): Promise<EndedAccess> {
  return asTenant(tx, tenant.id, async () => {
    const ended = await storeTenantStatus(deps, tx, tenant, order, context.actor.userId);
    await emitInTenant(deps, tx, context, tenant.id, { from: tenant.status, to: order.status });
    return ended;
  });
}

/** Writes the rows of a change; the transaction must act as the tenant. */
export async function storeTenantStatus(
  deps: Pick<TenantsDeps, 'tenantPeers'>,
  tx: Tx<AuthSchema>,
  tenant: TenantRow,
  order: TenantStatusChange,
  changedBy: string,
): Promise<EndedAccess> {
  const version = tenant.version + 1;
  // Waits for sign-ins in progress; later ones see the new status.
  await applyTenantStatus(tx, tenant.id, { status: order.status, version });
  await tx
    .updateTable('tenants')
    .set({
      status: order.status,
      version,
      status_reason: order.reason,
      status_changed_by: changedBy,
      status_changed_at: sql<Date>`now()`,
      ...(order.name ? { name: order.name } : {}),
    })
    .where('id', '=', tenant.id)
    .execute();
  await queueDeliveries(deps, tx, tenant.id, version);
  return order.status === 'active' ? { revoked: [], raised: [] } : endAllAccess(tx);
}

/** Queues this version for delivery to every store. */
export async function queueDeliveries(
  deps: Pick<TenantsDeps, 'tenantPeers'>,
  tx: Tx<AuthSchema>,
  tenantId: string,
  version: number,
): Promise<void> {
  const { stores } = deps.tenantPeers;
  if (stores.length === 0) return;
  await tx
    .insertInto('standing_deliveries')
    .values(stores.map(({ service }) => ({ tenant_id: tenantId, service, wanted_version: version })))
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'service']).doUpdateSet({
        wanted_version: version,
        attempts: 0,
        next_try_at: sql<Date>`now()`,
      }),
    )
    .execute();
}

/**
 * Records the event of this call in the log of the affected tenant; the transaction must act as that tenant.
 */
export async function emitInTenant(
  deps: Pick<TenantsDeps, 'emitter'>,
  tx: Tx<AuthSchema>,
  context: CallContext,
  tenantId: string,
  details: Record<string, unknown>,
): Promise<void> {
  const scoped = Object.create(context, { auditTenantId: { value: tenantId } }) as CallContext;
  await deps.emitter.audit(tx, scoped, { subject: { type: 'tenant', id: tenantId }, details });
}
