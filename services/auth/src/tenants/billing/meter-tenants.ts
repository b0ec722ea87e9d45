import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import { anyOf } from '@claviger/database';
import type { ServiceClient } from '@claviger/service-kit';
import type { TenantsDeps } from '../deps.ts';
import { METERED_ACTIONS, type Metered, meter } from './meter.ts';

const INTERVAL_MS = 5_000;
/** The tenant id for `listLogSizes`, which belongs to no tenant, because internal calls must name one. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

type Log = ServiceClient<typeof tenantLog.TenantLogService>;
type Deps = Pick<TenantsDeps, 'database' | 'logger' | 'tenantPeers'>;

/**
 * Meters the newly sequenced events of every tenant. The audit log loses no event, so metering misses none.
 */
export function startMetering(deps: Deps, cluster: DutyHost): Duty | undefined {
  const { log } = deps.tenantPeers;
  return (
    log &&
    startDuty({
      cluster,
      name: 'billing',
      everyMs: INTERVAL_MS,
      run: (leadership) => meterTenants(deps, log, leadership),
    })
  );
}

export async function meterTenants(
  deps: Deps,
  log: Pick<Log, 'listLogSizes' | 'readLog'>,
  leadership: Leadership,
): Promise<void> {
  let afterTenantId = '';
  for (;;) {
    const { items } = await log.listLogSizes({ afterTenantId }, { tenantId: NO_TENANT });
    if (items.length === 0) return;
    const known = await cursorsOf(
      deps,
      items.map((item) => item.tenantId),
    );
    for (const { tenantId, size } of items) {
      if (leadership.signal.aborted) return;
      const cursor = known.get(tenantId);
      if (cursor === undefined || cursor >= size) continue;
      await meterTenant(deps, log, tenantId, leadership).catch((error: unknown) => {
        deps.logger.warn({ err: error, tenantId }, 'a tenant could not be metered; the duty repeats it');
      });
    }
    afterTenantId = items.at(-1)!.tenantId;
  }
}

/** Returns the cursors of known tenants; 0 for a tenant that was never metered. */
async function cursorsOf(deps: Deps, tenantIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await deps.database.system((tx) =>
    tx
      .selectFrom('tenants')
      .leftJoin('billing_cursors', 'billing_cursors.tenant_id', 'tenants.id')
      .select(['tenants.id', 'billing_cursors.next_audit_sequence'])
      .where('tenants.id', '=', anyOf(tenantIds, 'uuid'))
      .execute(),
  );
  return new Map(rows.map((row) => [row.id, row.next_audit_sequence ?? 0]));
}

async function meterTenant(
  deps: Deps,
  log: Pick<Log, 'readLog'>,
  tenantId: string,
  leadership: Leadership,
): Promise<void> {
  while (!leadership.signal.aborted) {
    const from = await deps.database.withTenant(tenantId, async (tx) => {
      await leadership.assert(tx);
      await tx
        .insertInto('billing_cursors')
        .values({ tenant_id: tenantId })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return tx.selectFrom('billing_cursors').selectAll().executeTakeFirstOrThrow();
    });
    const read = await log.readLog(
      { fromSequence: from.next_audit_sequence, actions: [...METERED_ACTIONS] },
      { tenantId },
    );
    if (read.nextSequence <= from.next_audit_sequence) return;
    await store(deps, leadership, tenantId, from.next_audit_sequence, read);
  }
}

/** Stores rows and cursor in one transaction. If another writer has moved the cursor, nothing is written. */
async function store(
  deps: Deps,
  leadership: Leadership,
  tenantId: string,
  from: number,
  read: tenantLog.ReadLogResponse,
): Promise<void> {
  const rows = read.items.map((event) => meter(event, tenantId)).filter((row) => row !== undefined);
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const cursor = await tx
      .selectFrom('billing_cursors')
      .selectAll()
      .where('next_audit_sequence', '=', from)
      .forUpdate()
      .executeTakeFirst();
    if (!cursor) return;
    if (rows.length > 0) {
      await tx
        .insertInto('billing_events')
        .values(rows.map((row, index) => columnsOf(tenantId, cursor.next_sequence + index, row)))
        .execute();
    }
    await tx
      .updateTable('billing_cursors')
      .set({
        next_audit_sequence: read.nextSequence,
        next_sequence: cursor.next_sequence + rows.length,
      })
      .execute();
  });
}

export function columnsOf(tenantId: string, sequence: number, row: Metered) {
  return {
    tenant_id: tenantId,
    sequence,
    id: row.id,
    audit_sequence: row.auditSequence,
    kind: row.kind,
    quantity: row.quantity,
    unit: row.unit,
    subject_type: row.subjectType,
    subject_id: row.subjectId,
    occurred_at: new Date(row.occurredAt),
  };
}
