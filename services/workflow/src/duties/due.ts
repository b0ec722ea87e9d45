import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** One thing that is due, of whatever tenant. */
export interface Due {
  readonly tenantId: string;
  readonly id: string;
}

const BATCH = 200;
const now = sql<Date>`now()`;

// The states are written out, not parameters: a generic plan uses a partial index only if its condition is in the text.

export function lapsedRequests(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.system((tx) =>
    tx
      .selectFrom('requests')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`status = 'pending'`)
      .where('expires_at', '<=', now)
      .orderBy('expires_at')
      .limit(BATCH)
      .execute(),
  );
}

export function lapsedGrants(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.system((tx) =>
    tx
      .selectFrom('grants')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`status IN ('activating', 'active')`)
      .where('expires_at', '<=', now)
      .orderBy('expires_at')
      .limit(BATCH)
      .execute(),
  );
}

export function unsyncedGrants(database: Database<WorkflowSchema>): Promise<Due[]> {
  return database.system((tx) =>
    tx
      .selectFrom('grants')
      .select(['tenant_id as tenantId', 'id'])
      .where('next_sync_at', '<=', now)
      .orderBy('next_sync_at')
      .limit(BATCH)
      .execute(),
  );
}
