import { type Database, type Reader, requireActiveTenant } from '@claviger/database';
import { sql } from 'kysely';
import type { EventFilter } from '../events/event-filter.ts';
import type { AuditSchema, EventRow } from '../schema.ts';

const BATCH = 1_000;

export interface Snapshot {
  readonly database: Database<AuditSchema>;
  readonly tenantId: string;
  /** Size of the tree head: later events are not part of it, whatever arrives meanwhile. */
  readonly size: number;
}

/** The sealed events up to the head in their order, in batches, each read in a transaction of its own. */
export async function* eventsBySequence({ database, tenantId, size }: Snapshot): AsyncGenerator<EventRow[]> {
  let next = 0;
  while (next < size) {
    const rows = await database.readTenant(tenantId, async (reader) => {
      await requireActiveTenant(reader);
      return all(reader)
        .where('sequence', '>=', next)
        .where('sequence', '<', size)
        .orderBy('sequence')
        .limit(BATCH)
        .execute();
    });
    if (rows.length === 0) return;
    yield rows;
    next = rows.at(-1)!.sequence! + 1;
  }
}

/** The sealed events of a filter in the order of time, likewise. */
export async function* eventsByTime(
  { database, tenantId, size }: Snapshot,
  filter: EventFilter,
): AsyncGenerator<EventRow[]> {
  let last: { occurred_at: Date; event_id: string } | undefined;
  for (;;) {
    const rows = await database.readTenant(tenantId, async (reader) => {
      await requireActiveTenant(reader);
      const query = all(reader).where('sequence', '<', size).where(filter.condition);
      const from = last
        ? query.where(sql<boolean>`(occurred_at, event_id) > (${last.occurred_at}, ${last.event_id}::uuid)`)
        : query;
      return from.orderBy('occurred_at').orderBy('event_id').limit(BATCH).execute();
    });
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)!;
  }
}

function all(reader: Reader<AuditSchema>) {
  return reader.selectFrom('events').selectAll();
}
