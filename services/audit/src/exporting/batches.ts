import { type Database, requireActiveTenant } from '@claviger/database';
import type { Pace } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { EventFilter } from '../events/event-filter.ts';
import { STORED_EVENT, type StoredEvent } from '../events/event-message.ts';
import type { AuditSchema, EventRow } from '../schema.ts';

const BATCH = 1_000;
const WINDOW = 20_000;

export interface Snapshot {
  readonly database: Database<AuditSchema>;
  readonly tenantId: string;
  /** Size of the tree head; later events are not exported. */
  readonly size: number;
  /** Rests between batches while the machine is busy. */
  readonly pace: Pace;
}

/** The sequenced events below the head, in order and in batches, one transaction for each batch. */
export async function* eventsBySequence({
  database,
  tenantId,
  size,
  pace,
}: Snapshot): AsyncGenerator<EventRow[]> {
  let next = 0;
  while (next < size) {
    const rows = await database.readTenant(tenantId, async (reader) => {
      await requireActiveTenant(reader);
      return reader
        .selectFrom('events')
        .selectAll()
        .where('sequence', '>=', next)
        .where('sequence', '<', size)
        .orderBy('sequence')
        .limit(BATCH)
        .execute();
    });
    if (rows.length === 0) return;
    yield rows;
    next = rows.at(-1)!.sequence! + 1;
    await pace.rest();
  }
}

interface Place {
  readonly occurred_at: Date;
  readonly event_id: string;
}

export type PlacedEvent = StoredEvent & Place;

/**
 * The sequenced events of a filter, by time and in batches. A text search runs over windows of the log, so
 * that no statement scans all of it for a few matches.
 */
export async function* eventsByTime(snapshot: Snapshot, filter: EventFilter): AsyncGenerator<PlacedEvent[]> {
  let after: Place | undefined;
  for (;;) {
    const end = filter.scans ? await endOfWindow(snapshot, filter, after) : undefined;
    yield* eventsBetween(snapshot, filter, after, end);
    if (end === undefined) return;
    after = end;
  }
}

async function* eventsBetween(
  { database, tenantId, size, pace }: Snapshot,
  filter: EventFilter,
  after: Place | undefined,
  end: Place | undefined,
): AsyncGenerator<PlacedEvent[]> {
  let last = after;
  for (;;) {
    const rows = await database.readTenant(tenantId, async (reader) => {
      await requireActiveTenant(reader);
      let query = reader
        .selectFrom('events')
        .select([...STORED_EVENT, 'occurred_at', 'event_id'])
        .where('sequence', '<', size)
        .where(filter.condition);
      if (last) query = query.where(place('>', last));
      if (end) query = query.where(place('<=', end));
      return query.orderBy('occurred_at').orderBy('event_id').limit(BATCH).execute();
    });
    if (rows.length > 0) yield rows;
    await pace.rest();
    if (rows.length < BATCH) return;
    last = rows.at(-1)!;
  }
}

/** The last event of the next window; undefined when fewer than WINDOW events are left. */
function endOfWindow(
  { database, tenantId, size }: Snapshot,
  filter: EventFilter,
  after: Place | undefined,
): Promise<Place | undefined> {
  return database.readTenant(tenantId, (reader) => {
    let query = reader
      .selectFrom('events')
      .select(['occurred_at', 'event_id'])
      .where('sequence', '<', size)
      .where(filter.indexed);
    if (after) query = query.where(place('>', after));
    return query
      .orderBy('occurred_at')
      .orderBy('event_id')
      .offset(WINDOW - 1)
      .limit(1)
      .executeTakeFirst();
  });
}

function place(operator: '>' | '<=', { occurred_at, event_id }: Place) {
  return operator === '>'
    ? sql<boolean>`(occurred_at, event_id) > (${occurred_at}, ${event_id}::uuid)`
    : sql<boolean>`(occurred_at, event_id) <= (${occurred_at}, ${event_id}::uuid)`;
}
