import type { DutyLag } from '@claviger/cluster';
import { type Database, ofActiveTenant } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** A due row of any tenant. */
export interface Due {
  readonly tenantId: string;
  readonly id: string;
}

const BATCH = 200;
const now = sql<Date>`now()`;

// The statuses are literals, not parameters: a generic plan uses a partial index only if its condition is in
// the text.

export function lapsedRequests(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('requests')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`status = 'pending'`)
      .where('expires_at', '<=', now)
      .orderBy('expires_at')
      .limit(BATCH)
      .compile(),
  );
}

export function lapsedGrants(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('grants')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`status IN ('activating', 'active')`)
      .where('expires_at', '<=', now)
      .orderBy('expires_at')
      .limit(BATCH)
      .compile(),
  );
}

export function unsyncedGrants(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('grants')
      .select(['tenant_id as tenantId', 'id'])
      .where('next_sync_at', '<=', now)
      .orderBy('next_sync_at')
      .limit(BATCH)
      .compile(),
  );
}

/** What the sweep has to do, at most `limit` rows of each kind. */
const due = (limit: number) => sql`(
  (SELECT expires_at AS due_at FROM requests WHERE status = 'pending' AND expires_at <= now()
    ORDER BY expires_at LIMIT ${limit})
  UNION ALL (SELECT expires_at FROM grants WHERE status IN ('activating', 'active') AND expires_at <= now()
    ORDER BY expires_at LIMIT ${limit})
  UNION ALL (SELECT expires_at FROM elevation_requests
    WHERE status IN ('pending', 'approved', 'auto_approved', 'actuating') AND expires_at <= now()
      AND ${ofActiveTenant('elevation_requests.tenant_id')}
    ORDER BY expires_at LIMIT ${limit})
  UNION ALL (SELECT next_sync_at FROM grants WHERE next_sync_at <= now() ORDER BY next_sync_at LIMIT ${limit}))`;

/** Whether the sweep has anything to do: one query instead of one for each kind. */
export async function isAnythingDue(database: Database<WorkflowSchema>): Promise<boolean> {
  const rows = await database.systemQuery((reader) =>
    sql`SELECT FROM ${due(1)} AS due LIMIT 1`.compile(reader),
  );
  return rows.length > 0;
}

/** The backlog of the next rounds, counted up to ten thousand of each kind. */
export async function sweepLag(database: Database<WorkflowSchema>): Promise<DutyLag> {
  const [row] = await database.systemQuery((reader) =>
    sql<{ waiting: number; oldest_ms: number | null }>`
      SELECT count(*)::int AS waiting, (extract(epoch FROM now() - min(due_at)) * 1000)::bigint AS oldest_ms
      FROM ${due(10_000)} AS due`.compile(reader),
  );
  return { waiting: row?.waiting ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) };
}
