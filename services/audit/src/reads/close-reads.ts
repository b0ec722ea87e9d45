import { type Duty, type DutyHost, startDuty } from '@claviger/cluster';
import type { Tx } from '@claviger/database';
import type { AuditEvent, Emitter } from '@claviger/events';
import { sql } from 'kysely';
import type { AuditSchema } from '../schema.ts';
import type { ReadsDeps } from './deps.ts';

const POLL_MS = 5_000;
const BATCH = 200;

/**
 * Ten minutes after the event of a read, writes an event with the count if the read was repeated, else
 * removes its row. A client that polls thus causes one event in ten minutes.
 */
export function startReadClosing(
  deps: Pick<ReadsDeps, 'database' | 'emitter'> & { readonly cluster: DutyHost },
): Duty {
  const { database, emitter, cluster } = deps;
  return startDuty({
    cluster,
    name: 'reads of the audit log',
    everyMs: POLL_MS,
    run: async (leadership) => {
      const due = await database.systemQuery((reader) =>
        reader
          .selectFrom('audited_reads')
          .select(['tenant_id', 'key'])
          .where('due_at', '<=', sql<Date>`clock_timestamp()`)
          .orderBy('due_at')
          .limit(BATCH)
          .compile(),
      );
      for (const { tenant_id, key } of due) {
        if (leadership.signal.aborted) return;
        await database.withTenant(tenant_id, async (tx) => {
          await leadership.assert(tx);
          await closeWindow(tx, emitter, key);
        });
      }
      return due.length === BATCH ? { nextInMs: 0 } : undefined;
    },
  });
}

async function closeWindow(tx: Tx<AuditSchema>, emitter: Emitter, key: Buffer): Promise<void> {
  const row = await tx
    .selectFrom('audited_reads')
    .select(['event', 'repeated', 'last_at'])
    .where('key', '=', key)
    .where('due_at', '<=', sql<Date>`clock_timestamp()`)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return;
  if (row.repeated === 0) {
    await tx.deleteFrom('audited_reads').where('key', '=', key).execute();
    return;
  }
  const last = JSON.parse(row.event) as AuditEvent;
  const { canonical } = await emitter.auditAgain(tx, last, {
    ...last.details,
    reads: row.repeated,
    since: last.occurredAt,
    lastReadAt: row.last_at.toISOString(),
  });
  await tx
    .updateTable('audited_reads')
    .set({
      event: canonical,
      repeated: 0,
      due_at: sql<Date>`clock_timestamp() + interval '10 minutes'`,
    })
    .where('key', '=', key)
    .execute();
}
