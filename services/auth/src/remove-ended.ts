import { type BatchedStatement, type Leadership, removeInBatches } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { type RawBuilder, sql } from 'kysely';
import type { AuthSchema } from './schema.ts';
import { PLACE_DAYS } from './sign-in/places.ts';

const BATCH = 5_000;
/** Sessions whose refresh tokens one statement looks at, and that one statement removes. */
const SESSIONS = 1_000;

const week = sql`now() - interval '7 days'`;

/** In this order: a session goes after the tokens that belong to it. The policies of the tables name what may go. */
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
 * Removes failure counts of an hour ago, places of a month ago, and links, agent tokens, API tokens, sessions and refresh tokens
 * that ended a week ago. Returns whether more may be left. One table's trouble does not hold up the others: the first failure is
 * thrown when all had their turn.
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
