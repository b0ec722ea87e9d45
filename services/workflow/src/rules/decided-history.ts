import { anyOf, type Database, type Reader } from '@claviger/database';
import type { Facts, FlowType, Verdict } from '@claviger/evaluator';
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { ElevationStatus } from '../elevation/elevation-schema.ts';
import type { WorkflowSchema } from '../schema.ts';

export interface HistoryFilter {
  readonly from: Date;
  readonly to: Date;
  readonly kinds: readonly Facts['kind'][];
  readonly flowType?: FlowType | undefined;
  /** Only decisions of these sites; absent: all. */
  readonly siteIds?: readonly string[] | undefined;
}

export interface PastDecision {
  readonly requestId: string;
  readonly kind: Facts['kind'];
  readonly flowType: FlowType | null;
  /** Null: not decided by any rule set. */
  readonly version: number | null;
  readonly facts: Facts;
  readonly verdict: Verdict;
  readonly decidingRuleId: string | null;
  readonly because: string;
  readonly label: string;
  readonly decidedAt: Date;
  /** The stored status of the elevation; null for a request for access. */
  readonly status: ElevationStatus | null;
  readonly requestedAt: Date | null;
  readonly expiresAt: Date | null;
}

const BATCH = 2_000;

/**
 * Past decisions, newest first, in batches, so that memory does not grow with the history and no transaction
 * stays open. The next batch is read while the current one is processed.
 */
export async function* decidedHistory(
  database: Database<WorkflowSchema>,
  tenantId: string,
  filter: HistoryFilter,
): AsyncGenerator<PastDecision[], void, void> {
  const read = (after?: Key): Promise<Batch> =>
    database.readTenant(tenantId, (reader) => batchOf(reader, filter, after));
  let next: Promise<Batch> | undefined = read();
  while (next) {
    const { decisions, last }: Batch = await next;
    next = last && read(last);
    // A reader that stops early does not await it.
    next?.catch(() => {});
    // Yields empty batches too, so that the reader can stop at its time limit.
    yield decisions;
  }
}

interface Key {
  readonly decidedAt: string;
  readonly id: string;
}
interface Batch {
  readonly decisions: PastDecision[];
  /** Undefined after the end. */
  readonly last: Key | undefined;
}

async function batchOf(
  reader: Reader<WorkflowSchema>,
  { from, to, kinds, flowType, siteIds }: HistoryFilter,
  after: Key | undefined,
): Promise<Batch> {
  // Each query reads a fixed number of rows and marks the wanted ones: a query for a full batch of rare rows
  // would read the whole history and exceed the statement timeout.
  const wanted = (e: ExpressionBuilder<WorkflowSchema, 'evaluations'>) => {
    const all: Expression<SqlBool>[] = [e('kind', '=', anyOf(kinds, 'text'))];
    if (flowType) all.push(e('flow_type', '=', flowType));
    if (siteIds) {
      const sites = siteIds.map((id) => id.toLowerCase());
      all.push(sql<boolean>`coalesce(lower(site_id) = ANY (${sites}::text[]), false)`);
    }
    return e.and(all);
  };
  let stretch = reader
    .selectFrom('evaluations')
    .select(['tenant_id', 'id', 'request_id', 'kind', 'flow_type', 'rule_set_version', 'verdict', 'because'])
    .select(['deciding_rule_id', 'label', 'decided_at'])
    .select((e) => [
      wanted(e).as('is_wanted'),
      e.case().when(wanted(e)).then(e.ref('facts')).end().as('facts'),
    ])
    .where('decided_at', '>=', from)
    .where('decided_at', '<=', to);
  if (after)
    stretch = stretch.where(
      sql<boolean>`(decided_at, id) < (${after.decidedAt}::timestamptz, ${after.id}::uuid)`,
    );
  const rows = await reader
    .selectFrom(stretch.orderBy('decided_at', 'desc').orderBy('id', 'desc').limit(BATCH).as('e'))
    .leftJoin('elevation_requests as r', (join) =>
      join
        .onRef('r.tenant_id', '=', 'e.tenant_id')
        .onRef('r.id', '=', 'e.request_id')
        .on('e.is_wanted', '=', true),
    )
    .selectAll('e')
    .select(['r.status', 'r.requested_at', 'r.expires_at'])
    // A Date has only milliseconds, so the next batch would skip or repeat rows.
    .select(sql<string>`e.decided_at::text`.as('key'))
    .orderBy('e.decided_at', 'desc')
    .orderBy('e.id', 'desc')
    .execute();
  const last = rows.length === BATCH ? rows.at(-1) : undefined;
  return {
    decisions: rows.filter(isWanted).map((row) => ({
      requestId: row.request_id,
      kind: row.kind,
      flowType: row.flow_type as FlowType | null,
      version: row.rule_set_version,
      facts: row.facts,
      verdict: row.verdict,
      decidingRuleId: row.deciding_rule_id,
      because: row.because,
      label: row.label,
      decidedAt: row.decided_at,
      status: row.status,
      requestedAt: row.requested_at,
      expiresAt: row.expires_at,
    })),
    last: last && { decidedAt: last.key, id: last.id },
  };
}

function isWanted<R extends { readonly is_wanted: unknown; readonly facts: Facts | null }>(
  row: R,
): row is R & { readonly facts: Facts } {
  return row.is_wanted === true && row.facts !== null;
}
