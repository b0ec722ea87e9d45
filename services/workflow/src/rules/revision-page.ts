import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { likeTerm, pageOf, type Reader, type SortFields } from '@claviger/database';
import type { Actor } from '@claviger/service-kit';
import type { SelectQueryBuilder } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { visibleTo } from './rule-access.ts';
import type { RevisionRow } from './rules-tables.ts';

type Rows = SelectQueryBuilder<WorkflowSchema, 'rule_revisions', object>;

export interface RevisionPageOptions {
  readonly kind: 'rule' | 'software';
  readonly request: Omit<contract.ListSoftwareEntriesRequest, 'list'>;
  readonly actor: Actor;
  readonly sort: SortFields;
  readonly defaultSort: string;
  readonly narrow: (rows: Rows) => Rows;
}

export interface RevisionPage {
  readonly rows: RevisionRow[];
  readonly pagination: contract.RulePagination;
  readonly nextCursor: string | undefined;
}

/** One page of the current objects that the actor may see. */
export async function revisionPage(
  reader: Reader<WorkflowSchema>,
  { kind, request, actor, sort, defaultSort, narrow }: RevisionPageOptions,
): Promise<RevisionPage> {
  let rows: Rows = narrow(
    reader
      .selectFrom('rule_revisions')
      .where('kind', '=', kind)
      .where('until_version', 'is', null)
      .where(visibleTo(actor)),
  );
  if (request.search) rows = rows.where('name', 'ilike', likeTerm(request.search));
  const page = await pageOf({
    request: { ...request, pageSize: request.limit ?? 50 },
    query: rows.selectAll(),
    sort,
    defaultSort,
    tieBreaker: { column: 'object_id', type: 'text' },
    map: (row) => row as RevisionRow,
  });
  return {
    rows: page.items,
    pagination: { page: page.page, limit: page.pageSize, total: page.totalItems },
    nextCursor: page.nextCursor,
  };
}
