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
  /** The last attempt failed. */
  readonly failing: boolean;
}

/** The destinations of all tenants that have unsent events and whose next attempt is due. */
export async function dueTargets({ database }: SiemDeps): Promise<Due[]> {
  const rows = await database.systemQuery((reader) =>
    reader
      .selectFrom('siem_cursors as cursor')
      .innerJoin('trees as tree', 'tree.tenant_id', 'cursor.tenant_id')
      .select(['cursor.tenant_id', 'cursor.target', 'cursor.failures'])
      .where('cursor.active', '=', true)
      .where('cursor.next_attempt_at', '<=', sql<Date>`clock_timestamp()`)
      .whereRef('cursor.next_sequence', '<', 'tree.size')
      .orderBy('cursor.next_attempt_at')
      .compile(),
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, target: row.target, failing: row.failures > 0 }));
}

/** Creates cursors of new destinations and deactivates those of removed or disabled ones. */
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
  /** Sequence number after the last event of the batch. */
  readonly next: number;
  /** More events may follow. */
  readonly full: boolean;
  readonly rows: readonly EventRow[];
}

/** The next batch of a destination; undefined when it has no events or its next attempt is not due. */
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

/** Moves the cursor after a batch. `sent` is false when no event of the batch matched the destination. */
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

/**
 * Records a failed batch and its next attempt, with a growing delay. Returns the number of consecutive
 * failures.
 */
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
