import type * as breakglassAudit from '@claviger/contracts/audit/v1/breakglass_audit';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { recordRead } from '../reads/record-read.ts';
import type { EventsDeps } from './deps.ts';
import { eventFilter } from './event-filter.ts';
import { eventMessage, STORED_EVENT } from './event-message.ts';
import { EVENT_SORT } from './event-page.ts';

/**
 * Matches the steps of emergency access and its disclosures. The expression equals that of the index
 * `events_breakglass`. Canonical JSON escapes quotes within values, so the text of a reason cannot match it.
 */
const IS_BREAKGLASS = sql<boolean>`(starts_with(action, 'breakglass.') OR position('"basis":"breakglass"' in canonical) > 0)`;

/** Lists these events, by default the newest first; paged and filtered like the list of all events. */
export function listBreakglassEvents(
  deps: EventsDeps,
): Handler<typeof breakglassAudit.BreakglassAuditService.listBreakglassEvents> {
  return async (request, context) => {
    const filter = eventFilter(request);
    const answer = await deps.database.readTenant(context.tenantId, (reader) => {
      const rows = reader.selectFrom('events').where(filter.condition).where(IS_BREAKGLASS);
      return pageOf({
        request,
        query: rows.select(STORED_EVENT),
        sort: EVENT_SORT,
        defaultSort: 'occurredAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'event_id', type: 'uuid' },
        map: eventMessage,
      });
    });
    await recordRead(deps, context, request);
    return answer;
  };
}
