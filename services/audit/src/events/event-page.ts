import type * as audit from '@claviger/contracts/audit/v1/audit';
import { type Database, pageOf, type Reader, type SortFields } from '@claviger/database';
import type { AuditSchema } from '../schema.ts';
import { type EventFilter, eventFilter } from './event-filter.ts';
import { eventMessage, STORED_EVENT } from './event-message.ts';

export const EVENT_SORT: SortFields = {
  occurredAt: { column: 'occurred_at', type: 'timestamptz' },
  action: { column: 'action', type: 'text' },
};

/** Returns one page of a filter. */
export function eventPage(
  database: Database<AuditSchema>,
  tenantId: string,
  request: audit.ListEventsRequest,
): Promise<audit.ListEventsResponse> {
  const filter = eventFilter(request);
  return database.readTenant(tenantId, (reader) =>
    pageOf({
      request,
      query: reader.selectFrom('events').select(STORED_EVENT).where(filter.condition),
      sort: EVENT_SORT,
      defaultSort: 'occurredAt',
      defaultOrder: 'desc',
      tieBreaker: { column: 'event_id', type: 'uuid' },
      total: () => totalOf(reader, filter),
      map: eventMessage,
    }),
  );
}

/** Counts exactly. For the whole log, the size of the tree replaces counting. */
async function totalOf(reader: Reader<AuditSchema>, filter: EventFilter): Promise<number> {
  const counting = reader.selectFrom('events').select((eb) => eb.fn.countAll<number>().as('count'));
  if (!filter.isEmpty) return (await counting.where(filter.condition).executeTakeFirstOrThrow()).count;
  const [tree, unsequenced] = await Promise.all([
    reader.selectFrom('trees').select('size').executeTakeFirst(),
    counting.where('sequence', 'is', null).executeTakeFirstOrThrow(),
  ]);
  return (tree?.size ?? 0) + unsequenced.count;
}
