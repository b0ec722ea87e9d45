import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { anyOf, likeTerm, noneOf, pageOf, type Reader, type SortFields } from '@claviger/database';
import { type Actor, type Handler, peopleBehind, permits } from '@claviger/service-kit';
import { type SelectQueryBuilder, sql } from 'kysely';
import { transactionTimeMs } from '../database-clock.ts';
import { dateRange } from '../date-range.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { RequestsDeps } from './deps.ts';
import { seesAllRequests } from './may-see.ts';
import { requestMessages } from './request-view.ts';

const SORT: SortFields = {
  createdAt: { column: 'created_at', type: 'timestamptz' },
  expiresAt: { column: 'expires_at', type: 'timestamptz' },
  requesterName: { column: 'requester_name', type: 'text' },
  resourceName: { column: 'resource_name', type: 'text' },
};

/** Newest first unless the request sorts. */
export function listRequests(deps: RequestsDeps): Handler<typeof workflow.RequestsService.listRequests> {
  return async (request, context) => {
    dateRange(request);
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const rows = filtered(reader, request, context.actor);
      const page = await pageOf({
        request,
        query: rows.selectAll(),
        sort: SORT,
        defaultSort: 'createdAt',
        defaultOrder: request.sortBy ? 'asc' : 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: (row) => row,
      });
      const items = await requestMessages(reader, page.items, await transactionTimeMs(reader));
      return { ...page, items };
    });
  };
}

type Rows = SelectQueryBuilder<WorkflowSchema, 'requests', object>;

function filtered(reader: Reader<WorkflowSchema>, request: workflow.ListRequestsRequest, actor: Actor): Rows {
  let rows: Rows = reader.selectFrom('requests');
  if (!seesAllRequests(actor)) rows = rows.where('requester_id', '=', actor.userId);
  rows = withStatus(rows, request.status);
  const { from, before } = dateRange(request);
  if (from) rows = rows.where('created_at', '>=', from);
  if (before) rows = rows.where('created_at', '<', before);
  if (request.userId) rows = rows.where('requester_id', '=', request.userId);
  if (request.resourceId) rows = rows.where('resource_id', '=', request.resourceId);
  if (request.search) {
    const term = likeTerm(request.search);
    rows = rows.where((each) =>
      each.or(
        (['reason', 'ticket', 'requester_name', 'resource_name', 'entry_name'] as const).map((column) =>
          each(column, 'ilike', term),
        ),
      ),
    );
  }
  return request.decidable ? decidableBy(rows, actor) : rows;
}

/**
 * Agrees with the status shown: a pending request past its time has expired, even before the sweep updates
 * its row.
 */
function withStatus(rows: Rows, status: string): Rows {
  switch (status) {
    case '':
      return rows;
    case 'pending':
      return rows.where('status', '=', 'pending').where('expires_at', '>', sql<Date>`now()`);
    case 'expired':
      return rows.where(sql<boolean>`(status = 'expired' OR (status = 'pending' AND expires_at <= now()))`);
    default:
      return rows.where('status', '=', status as 'approved' | 'denied' | 'cancelled');
  }
}

/**
 * The conditions of `decide` in SQL: not the actor's own, pending, eligible for the current step, not yet
 * decided by the actor.
 */
function decidableBy(rows: Rows, actor: Actor): Rows {
  if (!permits(actor.permissions, 'requests.decide')) return rows.where(sql<boolean>`false`);
  const people = [...peopleBehind(actor)];
  const step = sql`(steps -> open_step)`;
  return withStatus(rows, 'pending')
    .where('requester_id', '<>', noneOf(people, 'uuid'))
    .where(sql<boolean>`NOT requester_behind && ${people}::uuid[]`)
    .where(
      sql<boolean>`(jsonb_array_length(${step} -> 'approverUserIds') + jsonb_array_length(${step} -> 'approverRoles') = 0
        OR jsonb_exists(${step} -> 'approverUserIds', ${actor.userId}::text)
        OR jsonb_exists_any(${step} -> 'approverRoles', ${[...actor.roles]}::text[]))`,
    )
    .where((each) =>
      each.not(
        each.exists(
          each
            .selectFrom('decisions')
            .select(sql`1`.as('one'))
            .whereRef('decisions.request_id', '=', 'requests.id')
            .where((decided) =>
              decided.or([
                decided('decisions.user_id', '=', anyOf(people, 'uuid')),
                sql<boolean>`decisions.user_behind && ${people}::uuid[]`,
              ]),
            ),
        ),
      ),
    );
}
