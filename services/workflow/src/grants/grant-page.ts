import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import {
  type PageRequest,
  type PageResponse,
  pageOf,
  type Reader,
  type SortFields,
} from '@claviger/database';
import { type SelectQueryBuilder, sql } from 'kysely';
import { transactionTimeMs } from '../database-clock.ts';
import type { GrantStatus, WorkflowSchema } from '../schema.ts';
import { grantMessage } from './grant-view.ts';

export type GrantRows = SelectQueryBuilder<WorkflowSchema, 'grants', object>;

const SORT: SortFields = {
  startsAt: { column: 'starts_at', type: 'timestamptz' },
  expiresAt: { column: 'expires_at', type: 'timestamptz' },
  userName: { column: 'user_name', type: 'text' },
  resourceName: { column: 'resource_name', type: 'text' },
};

/** One page of the grants that `narrow` selects, newest first unless the request sorts. */
export async function grantPage(
  reader: Reader<WorkflowSchema>,
  request: PageRequest,
  narrow: (rows: GrantRows) => GrantRows,
): Promise<PageResponse<workflow.Grant>> {
  const rows = narrow(reader.selectFrom('grants'));
  const page = await pageOf({
    request,
    query: rows.selectAll(),
    sort: SORT,
    defaultSort: 'startsAt',
    defaultOrder: request.sortBy ? 'asc' : 'desc',
    tieBreaker: { column: 'id', type: 'uuid' },
    map: (row) => row,
  });
  const nowMs = await transactionTimeMs(reader);
  return { ...page, items: page.items.map((row) => grantMessage(row, nowMs)) };
}

/** Agrees with the status shown: a grant past its end has expired, even before the sweep updates its row. */
export function withGrantStatus(rows: GrantRows, status: string): GrantRows {
  switch (status) {
    case '':
      return rows;
    case 'activating':
    case 'active':
      return rows.where('status', '=', status).where('expires_at', '>', sql<Date>`now()`);
    case 'expired':
      return rows.where(
        sql<boolean>`(status = 'expired' OR (status IN ('activating', 'active') AND expires_at <= now()))`,
      );
    default:
      return rows.where('status', '=', status as GrantStatus);
  }
}
