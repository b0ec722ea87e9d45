import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { type SelectQueryBuilder, sql } from 'kysely';
import { transactionTimeMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { BreakglassState } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';
import { sessionMessage } from './session-view.ts';

type Rows = SelectQueryBuilder<WorkflowSchema, 'breakglass_sessions', object>;

const SORT: SortFields = {
  requestedAt: { column: 'requested_at', type: 'timestamptz' },
  userName: { column: 'user_name', type: 'text' },
};

/** All sessions of the tenant, newest first unless the request sorts. */
export function listBreakglassSessions(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.listBreakglassSessions> {
  return (request, { tenantId }) =>
    deps.database.readTenant(tenantId, async (reader) => {
      const rows = narrowed(reader.selectFrom('breakglass_sessions'), request);
      const page = await pageOf({
        request,
        query: rows.selectAll(),
        sort: SORT,
        defaultSort: 'requestedAt',
        defaultOrder: request.sortBy ? 'asc' : 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: (row) => row,
      });
      const nowMs = await transactionTimeMs(reader);
      return { ...page, items: page.items.map((row) => sessionMessage(row, nowMs)) };
    });
}

function narrowed(rows: Rows, request: breakglass.ListBreakglassSessionsRequest): Rows {
  const ofState = request.state === '' ? rows : withState(rows, request.state as BreakglassState);
  if (request.userId === '') return ofState;
  return ofState.where('user_id', '=', request.userId);
}

/**
 * Agrees with the state shown: a session past its time counts as ended, even before the sweep updates its
 * row.
 */
function withState(rows: Rows, state: BreakglassState): Rows {
  switch (state) {
    case 'active':
      return rows.where(sql<boolean>`state = 'active' AND expires_at > now()`);
    case 'expired':
      return rows.where(sql<boolean>`(state = 'expired' OR (state = 'active' AND expires_at <= now()))`);
    case 'awaiting-confirmation':
      return rows.where(sql<boolean>`state = 'awaiting-confirmation' AND confirm_until > now()`);
    case 'lapsed':
      return rows.where(
        sql<boolean>`(state = 'lapsed' OR (state = 'awaiting-confirmation' AND confirm_until <= now()))`,
      );
    default:
      return rows.where('state', '=', state);
  }
}
