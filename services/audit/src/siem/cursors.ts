import { randomInt } from 'node:crypto';
import type { Leadership } from '@claviger/cluster';
import { type Reader, requireActiveTenant, type Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuditSchema, EventRow } from '../schema.ts';
import { backoffMs } from './backoff.ts';
import type { SiemDeps, SiemTarget } from './deps.ts';

const BATCH = 256;
const CHANCES = 1_000_000;

export interface Due {
  readonly tenantId: string;
  readonly target: string;
  /** Its last attempt failed. */
  readonly failing: boolean;
}

/** Which targets have events to take and may be tried again, of all tenants. */
export async function dueTargets({ database }: SiemDeps): Promise<Due[]> {
  const rows = await database.system((tx) =>
    tx
      .selectFrom('siem_cursors as cursor')
      .innerJoin('trees as tree', 'tree.tenant_id', 'cursor.tenant_id')
      .select(['cursor.tenant_id', 'cursor.target', 'cursor.failures'])
      .where('cursor.active', '=', true)
      .where('cursor.next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      .whereRef('cursor.next_sequence', '<', 'tree.size')
      .orderBy('cursor.next_attempt_at')
      .execute(),
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, target: row.target, failing: row.failures > 0 }));
}

/** Makes cursors for new targets, and marks those that are not wanted any more. */
export async function syncCursors(
  tx: Tx<AuditSchema>,
  leadership: Pick<Leadership, 'assert'>,
  tenantId: string,
  targets: readonly SiemTarget[],
): Promise<void> {
  await leadership.assert(tx);
  const wanted = targets.filter(({ enabled }) => enabled);
  const names = wanted.map(({ name }) => name);
  await tx
    .updateTable('siem_cursors')
    .set({ active: sql<boolean>`target = ANY (${names}::text[])` })
    .where(sql<boolean>`active <> (target = ANY (${names}::text[]))`)
    .execute();
  for (const { name, startAt } of wanted) {
    const size = sql<number>`coalesce((SELECT size FROM trees WHERE tenant_id = ${tenantId}::uuid), 0)`;
    await tx
      .insertInto('siem_cursors')
      .values({
        tenant_id: tenantId,
        target: name,
        active: true,
        next_sequence: startAt === 'now' ? size : 0,
      })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'target']).doNothing())
      .execute();
  }
}

export interface Batch {
  readonly from: number;
  /** Sequence of the first event that is not part of it. */
  readonly next: number;
  /** There may be more behind it. */
  readonly full: boolean;
  readonly rows: readonly EventRow[];
}

/** What the target gets next; undefined when there is nothing, or it is not its time yet. */
export async function nextBatch(deps: SiemDeps, due: Due): Promise<Batch | undefined> {
  return deps.database.withTenant(due.tenantId, async (tx) => {
    await requireActiveTenant(tx);
    const cursor = await tx
      .selectFrom('siem_cursors')
      .select(['next_sequence', 'retry_through'])
      .where('target', '=', due.target)
      .where('active', '=', true)
      .where('next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      .executeTakeFirst();
    if (cursor === undefined) return undefined;
    const { next_sequence: from, retry_through: through } = cursor;
    const rows = await eventsFrom(tx, from, through);
    if (rows.length === 0) return undefined;
    return { from, next: rows.at(-1)!.sequence! + 1, full: rows.length === BATCH || through !== null, rows };
  });
}

function eventsFrom(reader: Reader<AuditSchema>, from: number, through: number | null): Promise<EventRow[]> {
  const query = reader
    .selectFrom('events')
    .selectAll()
    .where('sequence', '>=', from)
    .orderBy('sequence')
    .limit(BATCH);
  return (through === null ? query : query.where('sequence', '<=', through)).execute();
}

/** The batch was taken; `sent` is false when none of its events was the target's. */
export async function advance(
  deps: SiemDeps,
  leadership: Pick<Leadership, 'assert'>,
  due: Due,
  batch: Batch,
  sent: boolean,
): Promise<boolean> {
  return deps.database.withTenant(due.tenantId, async (tx) => {
    await leadership.assert(tx);
    const { numUpdatedRows } = await tx
      .updateTable('siem_cursors')
      .set({
        next_sequence: batch.next,
        retry_through: null,
        ...(sent ? { failures: 0, last_error: '', last_success_at: sql<Date>`clock_timestamp()` } : {}),
      })
      .where('target', '=', due.target)
      .where('next_sequence', '=', batch.from)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  });
}

/** The batch was not taken: it is tried again, later each time. */
export async function postpone(
  deps: SiemDeps,
  leadership: Pick<Leadership, 'assert'>,
  due: Due,
  batch: Batch,
  problem: string,
): Promise<number> {
  return deps.database.withTenant(due.tenantId, async (tx) => {
    await leadership.assert(tx);
    const row = await tx
      .selectFrom('siem_cursors')
      .select('failures')
      .where('target', '=', due.target)
      .where('next_sequence', '=', batch.from)
      .executeTakeFirst();
    if (row === undefined) return 0;
    const failures = row.failures + 1;
    const waitMs = backoffMs(failures, randomInt(CHANCES) / CHANCES);
    await tx
      .updateTable('siem_cursors')
      .set({
        failures,
        retry_through: batch.next - 1,
        last_error: problem,
        last_failure_at: sql<Date>`clock_timestamp()`,
        next_attempt_at: sql<Date>`clock_timestamp() + ${waitMs} * interval '1 millisecond'`,
      })
      .where('target', '=', due.target)
      .where('next_sequence', '=', batch.from)
      .execute();
    return failures;
  });
}
