import { type BatchedStatement, type Leadership, removeInBatches } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { type RawBuilder, sql } from 'kysely';
import type { AuthSchema } from './schema.ts';
import { PLACE_DAYS } from './sign-in/places.ts';

const BATCH = 5_000;
/** Maximum number of sessions that one statement examines or removes. */
const SESSIONS = 1_000;

const week = sql`now() - interval '7 days'`;

/**
 * The order matters: a session is deleted after its tokens. The policies of the tables limit what may be
 * deleted.
 */
const REMOVALS: readonly (readonly BatchedStatement[])[] = [
  [old('login_failures', sql`last_failed_at < now() - interval '1 hour'`)],
  [old('sign_in_places', sql`last_at < now() - make_interval(days => ${PLACE_DAYS}::int)`)],
  [old('one_time_links', sql`expires_at < ${week}`)],
  [old('agent_tokens', sql`revoked_at < ${week}`)],
  [old('api_tokens', sql`expires_at < ${week}`)],
  [
    {
      limit: BATCH,
      statement: sql`DELETE FROM refresh_tokens WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM (SELECT tenant_id, id FROM sessions WHERE expires_at < ${week} ORDER BY expires_at LIMIT ${SESSIONS}) s
          JOIN refresh_tokens r ON r.tenant_id = s.tenant_id AND r.session_id = s.id LIMIT ${BATCH}))`,
    },
    {
      limit: SESSIONS,
      statement: sql`DELETE FROM sessions WHERE ctid = ANY (ARRAY(
        SELECT s.ctid FROM sessions s WHERE s.expires_at < ${week}
          AND NOT EXISTS (SELECT FROM refresh_tokens r WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id)
          AND NOT EXISTS (SELECT FROM api_tokens a WHERE a.tenant_id = s.tenant_id AND a.session_id = s.id)
        ORDER BY s.expires_at LIMIT ${SESSIONS}))`,
    },
  ],
];

function old(table: string, condition: RawBuilder<unknown>): BatchedStatement {
  const name = sql.table(table);
  return {
    limit: BATCH,
    statement: sql`DELETE FROM ${name} WHERE ${condition}
      AND ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE ${condition} LIMIT ${BATCH}))`,
  };
}

/**
 * Removes failure counts after an hour, places after 30 days, and links, agent tokens, API tokens, sessions
 * and refresh tokens a week after they ended. Returns whether more may remain. A failure in one table does
 * not stop the others: the first error is thrown at the end.
 */
export async function removeEnded(database: Database<AuthSchema>, leadership: Leadership): Promise<boolean> {
  const failures: unknown[] = [];
  let hasMore = false;
  for (const statements of REMOVALS) {
    try {
      const removed = await removeInBatches(database, leadership, statements);
      hasMore ||= removed.hasMore;
    } catch (error) {
      if (leadership.signal.aborted) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return hasMore && !leadership.signal.aborted;
}
