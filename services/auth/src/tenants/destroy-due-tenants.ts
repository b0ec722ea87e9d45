import { type Duty, type DutyHost, type Leadership, LeadershipLost, startDuty } from '@claviger/cluster';
import { asTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Selectable, sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { storeTenantStatus } from './change-tenant-status.ts';
import { deliverTenantStatus } from './deliver-tenant-status.ts';
import type { TenantsDeps } from './deps.ts';

const INTERVAL_MS = 5_000;
const BATCH = 10;
/** Maximum number of rows that one statement deletes. */
const PROOFS = 5_000;
const MAX_BACKOFF_SECONDS = 3_600;

type Deps = Pick<TenantsDeps, 'database' | 'emitter' | 'logger' | 'tenantPeers'>;
type Order = Selectable<AuthSchema['deprovision_orders']>;

interface DestroyedKey {
  readonly service: string;
  readonly id: string;
  readonly version: number;
  readonly destroyedAt: string;
}

/** Destroys the keys of tenants whose retention has ended. */
export function startTenantDestruction(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'tenant destruction',
    everyMs: INTERVAL_MS,
    run: (leadership) => destroyDueTenants(deps, leadership),
  });
}

export async function destroyDueTenants(deps: Deps, leadership: Leadership): Promise<void> {
  const due = await deps.database.systemQuery((reader) =>
    reader
      .selectFrom('deprovision_orders')
      .selectAll()
      .where(sql<boolean>`state = 'confirmed'`)
      .where('destroy_at', '<=', sql<Date>`now()`)
      .where(sql<boolean>`next_try_at IS NULL OR next_try_at <= now()`)
      .orderBy('destroy_at')
      .limit(BATCH)
      .compile(),
  );
  for (const order of due) {
    if (leadership.signal.aborted) return;
    try {
      await destroyTenant(deps, leadership, order);
    } catch (error) {
      if (error instanceof LeadershipLost) throw error;
      deps.logger.warn(
        { err: error, tenantId: order.tenant_id },
        'the keys of a tenant could not be destroyed; the duty repeats it',
      );
      await postpone(deps, leadership, order);
    }
  }
}

/**
 * Destroys the tenant's keys in the vault and in auth, then stores the signed record and ends the order. Each
 * step can be repeated. A tenant that was reinstated in time keeps its keys: each step checks the order
 * first, and the vault checks the version of the status.
 */
async function destroyTenant(deps: Deps, leadership: Leadership, order: Order): Promise<void> {
  const tenantId = order.tenant_id;
  const { destroyKeys, log } = deps.tenantPeers;
  if (!destroyKeys || !log) {
    throw new ClavigerError('unavailable', 'Destroying keys requires the vault and the audit service.');
  }
  await deliverTenantStatus(deps, tenantId, leadership);
  const version = await holdConfirmed(deps, leadership, order);
  if (version === undefined) return;
  const ofVault = await destroyKeys(
    { orderedBy: order.ordered_by, confirmedBy: order.confirmed_by!, statusVersion: version },
    { tenantId },
  );
  const destroyed: DestroyedKey[] = [
    ...ofVault.keys.map((key) => ({
      service: 'vault',
      id: key.id,
      version: key.version,
      destroyedAt: key.destroyedAt!,
    })),
    ...(await destroyOwn(deps, leadership, order)),
  ];
  await eraseProofs(deps, leadership, order);
  const signed = await log.signDeletionRecord({ facts: factsOf(order, destroyed) }, { tenantId });
  await finish(deps, leadership, order, { ...signed, signedAt: signed.signedAt! }, destroyed);
  await deliverTenantStatus(deps, tenantId, leadership);
}

/**
 * Returns the version of the tenant status if this order is still confirmed. Waits for a reinstatement in
 * progress; a later one is refused because the retention has ended, so no tenant is reinstated without its
 * keys.
 */
async function holdConfirmed(deps: Deps, leadership: Leadership, order: Order): Promise<number | undefined> {
  return deps.database.withTenant(order.tenant_id, async (tx) => {
    await leadership.assert(tx);
    const tenant = await tx
      .selectFrom('tenants')
      .select(['status', 'version'])
      .where('id', '=', order.tenant_id)
      .forShare()
      .executeTakeFirstOrThrow();
    const held = await tx
      .selectFrom('deprovision_orders')
      .select('id')
      .where('id', '=', order.id)
      .where('state', '=', 'confirmed')
      .where('destroy_at', '<=', sql<Date>`now()`)
      .executeTakeFirst();
    return held && tenant.status === 'deprovisioning' ? tenant.version : undefined;
  });
}

/** Destroys auth's own keys. Returns all of them, including those destroyed by an earlier attempt. */
function destroyOwn(deps: Deps, leadership: Leadership, order: Order): Promise<DestroyedKey[]> {
  const tenantId = order.tenant_id;
  return deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    await requireStillConfirmed(tx, order);
    const now = await tx
      .updateTable('tenant_keys')
      .set({ wrapped: Buffer.alloc(0), destroyed_at: sql<Date>`now()` })
      .where('destroyed_at', 'is', null)
      .returning('id')
      .execute();
    const keys = await tx
      .selectFrom('tenant_keys')
      .select(['id', 'version', 'destroyed_at'])
      .orderBy('version')
      .execute();
    if (now.length > 0) {
      await deps.emitter.auditDuty(tx, {
        ...duty(tenantId, tenantId),
        action: 'tenant.keys-destroyed',
        details: { service: 'auth', keyIds: now.map((key) => key.id) },
      });
    }
    return keys.map((key) => ({
      service: 'auth',
      id: key.id,
      version: key.version,
      destroyedAt: key.destroyed_at!.toISOString(),
    }));
  });
}

/**
 * Deletes recovery codes, second factors, passwords and places, in batches, because a tenant may have many
 * users.
 */
async function eraseProofs(deps: Deps, leadership: Leadership, order: Order): Promise<void> {
  for (const name of ['recovery_codes', 'mfa_factors', 'credentials', 'sign_in_places']) {
    const table = sql.table(name);
    for (let removed = PROOFS; removed === PROOFS; ) {
      removed = await deps.database.withTenant(order.tenant_id, async (tx) => {
        await leadership.assert(tx);
        await requireStillConfirmed(tx, order);
        const { numAffectedRows = 0n } =
          await sql`DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} LIMIT ${PROOFS}))`.execute(
            tx,
          );
        return Number(numAffectedRows);
      });
    }
  }
}

async function requireStillConfirmed(
  tx: Parameters<Parameters<Deps['database']['withTenant']>[1]>[0],
  order: Order,
): Promise<void> {
  const held = await tx
    .selectFrom('deprovision_orders')
    .select('id')
    .where('id', '=', order.id)
    .where('state', '=', 'confirmed')
    .forUpdate()
    .executeTakeFirst();
  if (!held) throw new ClavigerError('conflict', 'The order was withdrawn.', { code: 'wrong_status' });
}

function factsOf(order: Order, destroyed: readonly DestroyedKey[]): Record<string, unknown> {
  return {
    orderId: order.id,
    reason: order.reason,
    orderedBy: { id: order.ordered_by, name: order.ordered_by_name, at: order.ordered_at.toISOString() },
    confirmedBy: {
      id: order.confirmed_by,
      name: order.confirmed_by_name,
      at: order.confirmed_at?.toISOString(),
    },
    destroyedKeys: destroyed,
  };
}

async function finish(
  deps: Deps,
  leadership: Leadership,
  order: Order,
  signed: { readonly record: string; readonly keyId: string; readonly signedAt: string },
  destroyed: readonly DestroyedKey[],
): Promise<void> {
  const tenantId = order.tenant_id;
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const tenant = await tx
      .selectFrom('tenants')
      .selectAll()
      .where('id', '=', tenantId)
      .forNoKeyUpdate()
      .executeTakeFirstOrThrow();
    await requireStillConfirmed(tx, order);
    await tx
      .insertInto('deletion_records')
      .values({
        tenant_id: tenantId,
        record: signed.record,
        key_id: signed.keyId,
        signed_at: new Date(signed.signedAt),
      })
      .execute();
    await tx
      .updateTable('deprovision_orders')
      .set({ state: 'done', ended_at: sql<Date>`now()` })
      .where('id', '=', order.id)
      .execute();
    await storeTenantStatus(deps, tx, tenant, { status: 'deprovisioned', reason: order.reason }, '');
    const details = { name: tenant.name, keyIds: destroyed.map((key) => key.id), recordKeyId: signed.keyId };
    await deps.emitter.auditDuty(tx, { ...duty(tenantId, tenantId), action: 'tenant.destroyed', details });
    const platform = await tx
      .selectFrom('tenants')
      .select('id')
      .where('platform', '=', true)
      .executeTakeFirst();
    if (platform) {
      await asTenant(tx, platform.id, () =>
        deps.emitter.auditDuty(tx, { ...duty(platform.id, tenantId), action: 'tenant.destroyed', details }),
      );
    }
  });
}

const duty = (logOf: string, subjectId: string) =>
  ({
    tenantId: logOf,
    outcome: 'allowed',
    subjectType: 'tenant',
    subjectId,
    resourceId: '',
    requestId: '',
    reason: '',
  }) as const;

async function postpone(deps: Deps, leadership: Leadership, order: Order): Promise<void> {
  await deps.database.withTenant(order.tenant_id, async (tx) => {
    await leadership.assert(tx);
    await tx
      .updateTable('deprovision_orders')
      .set({
        attempts: sql<number>`attempts + 1`,
        next_try_at: sql<Date>`now() + make_interval(secs => least(power(2, least(attempts, 12)), ${MAX_BACKOFF_SECONDS}))`,
      })
      .where('id', '=', order.id)
      .execute();
  });
}
