import type { Database, Reader } from '@claviger/database';
import type { Facts, FlowType, Verdict } from '@claviger/evaluator';
import { sql } from 'kysely';
import type { ElevationStatus } from '../elevation/elevation-schema.ts';
import type { WorkflowSchema } from '../schema.ts';

export interface HistoryFilter {
  readonly from: Date;
  readonly to: Date;
  readonly kinds: readonly Facts['kind'][];
  readonly flowType?: FlowType | undefined;
  /** Only what happened in these sites; absent: all of it. */
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
  /** Of the elevation as it was written down last; null for a request for access. */
  readonly status: ElevationStatus | null;
  readonly requestedAt: Date | null;
  readonly expiresAt: Date | null;
}

const BATCH = 2_000;

/**
 * What was decided, newest first, batch by batch, so that memory does not grow with the history and no transaction stays open.
 * While one batch is worked on, the next one is read.
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
    // Whoever has seen enough never asks for it.
    next?.catch(() => {});
    if (decisions.length > 0) yield decisions;
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
  let query = reader
    .selectFrom('evaluations as e')
    .leftJoin('elevation_requests as r', (join) =>
      join.onRef('r.tenant_id', '=', 'e.tenant_id').onRef('r.id', '=', 'e.request_id'),
    )
    .select([
      'e.id as evaluation_id',
      'e.request_id',
      'e.kind',
      'e.flow_type',
      'e.rule_set_version',
      'e.facts',
      'e.verdict',
      'e.because',
      'e.deciding_rule_id',
      'e.label',
      'e.decided_at',
      'r.status',
      'r.requested_at',
      'r.expires_at',
    ])
    // A Date has milliseconds only: the next batch would begin too early or too late.
    .select(sql<string>`e.decided_at::text`.as('key'))
    .where('e.decided_at', '>=', from)
    .where('e.decided_at', '<=', to)
    .where('e.kind', 'in', [...kinds]);
  if (flowType) query = query.where('e.flow_type', '=', flowType);
  if (siteIds) {
    const sites = siteIds.map((id) => id.toLowerCase());
    query = query.where(sql<boolean>`lower(e.site_id) = ANY (${sites}::text[])`);
  }
  if (after)
    query = query.where(
      sql<boolean>`(e.decided_at, e.id) < (${after.decidedAt}::timestamptz, ${after.id}::uuid)`,
    );
  const rows = await query.orderBy('e.decided_at', 'desc').orderBy('e.id', 'desc').limit(BATCH).execute();
  const last = rows.length === BATCH ? rows.at(-1) : undefined;
  return {
    decisions: rows.map((row) => ({
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
    last: last && { decidedAt: last.key, id: last.evaluation_id },
  };
}
