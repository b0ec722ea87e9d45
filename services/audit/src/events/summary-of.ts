import type * as audit from '@claviger/contracts/audit/v1/audit';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuditSchema } from '../schema.ts';
import { timeRange } from './time-range.ts';

const ACTIONS = 50;
const ACTORS = 20;

interface SummaryRow {
  kind: 'total' | 'outcome' | 'action' | 'actor' | 'day';
  key: string;
  name: string;
  count: number;
  sealed: number;
}

/**
 * Counts events of a range by outcome, by the most frequent actions and actors, and by day (UTC), in one
 * pass.
 */
export async function summaryOf(
  database: Database<AuditSchema>,
  tenantId: string,
  request: audit.GetSummaryRequest,
): Promise<audit.GetSummaryResponse> {
  const { from, before } = timeRange(request);
  const { rows } = await database.readTenant(tenantId, (reader) =>
    sql<SummaryRow>`
        WITH counted AS (
          SELECT outcome, action, actor_id, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day,
            max(actor_name) AS actor_name, count(*) AS count, count(sequence) AS sealed
          FROM events
          WHERE occurred_at >= ${from ?? new Date(0)} AND (${before ?? null}::timestamptz IS NULL OR occurred_at < ${before ?? null})
          GROUP BY GROUPING SETS ((), (outcome), (action), (actor_id), (4))
        )
        SELECT CASE WHEN outcome IS NOT NULL THEN 'outcome' WHEN action IS NOT NULL THEN 'action'
                    WHEN actor_id IS NOT NULL THEN 'actor' WHEN day IS NOT NULL THEN 'day' ELSE 'total' END AS kind,
          coalesce(outcome, action, actor_id, day, '') AS key, coalesce(actor_name, '') AS name, count, sealed
        FROM counted ORDER BY count DESC, key`.execute(reader),
  );
  const of = (kind: SummaryRow['kind']) => rows.filter((row) => row.kind === kind);
  const countOf = (outcome: string) => of('outcome').find((row) => row.key === outcome)?.count ?? 0;
  const [total] = of('total');
  return {
    totalEvents: total?.count ?? 0,
    allowed: countOf('allowed'),
    denied: countOf('denied'),
    failed: countOf('failed'),
    byAction: of('action')
      .slice(0, ACTIONS)
      .map(({ key, count }) => ({ action: key, count })),
    byActor: of('actor')
      .slice(0, ACTORS)
      .map(({ key, name, count }) => ({ actorId: key, actorName: name, count })),
    byDay: of('day')
      .map(({ key, count }) => ({ day: key, count }))
      .sort((a, b) => (a.day < b.day ? -1 : 1)),
    sealedEvents: total?.sealed ?? 0,
    unsealedEvents: (total?.count ?? 0) - (total?.sealed ?? 0),
  };
}
