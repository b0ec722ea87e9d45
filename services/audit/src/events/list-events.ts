import type { audit } from '@claviger/contracts';
import { pageOf, type Reader, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { AuditDeps } from '../audit-deps.ts';
import { recordRead } from '../reads/record-read.ts';
import type { AuditSchema } from '../schema.ts';
import { type EventFilter, eventFilter } from './event-filter.ts';
import { eventMessage, STORED_EVENT } from './event-message.ts';

export const EVENT_SORT: SortFields = {
  occurredAt: { column: 'occurred_at', type: 'timestamptz' },
  action: { column: 'action', type: 'text' },
};

/** Events of the tenant, newest first unless asked otherwise. */
export function listEvents(deps: AuditDeps): Handler<typeof audit.AuditServiceService.listEvents> {
  return async (request, context) => {
    const filter = eventFilter(request);
    const answer = await deps.database.readTenant(context.tenantId, (reader) =>
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
    await recordRead(deps, context, request);
    return answer;
  };
}

/** Counted exactly; of the whole log without reading it, since the tree knows its size. */
async function totalOf(reader: Reader<AuditSchema>, filter: EventFilter): Promise<number> {
  const counting = reader.selectFrom('events').select((eb) => eb.fn.countAll<number>().as('count'));
  if (!filter.isEmpty) return (await counting.where(filter.condition).executeTakeFirstOrThrow()).count;
  const [tree, unsealed] = await Promise.all([
    reader.selectFrom('trees').select('size').executeTakeFirst(),
    counting.where('sequence', 'is', null).executeTakeFirstOrThrow(),
  ]);
  return (tree?.size ?? 0) + unsealed.count;
}
