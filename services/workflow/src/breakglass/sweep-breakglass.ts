import { randomUUID } from 'node:crypto';
import { type Duty, type DutyHost, type DutyLag, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import type { Due } from '../duties/due.ts';
import type { BreakglassSessionRow } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';
import { expireSessions } from './expire-sessions.ts';
import { syncEmergency } from './sync-emergency.ts';

const BATCH = 100;
const MAX_BACKOFF_SECONDS = 30;

/** Ends sessions past their time, and sends due changes to auth and the vault; on the leader. */
export function startBreakglassSweep(deps: BreakglassDeps, cluster: DutyHost, intervalMs: number): Duty {
  return startDuty({
    cluster,
    name: 'emergency session sweep',
    everyMs: intervalMs,
    run: async (leadership) => {
      if (await isAnythingDue(deps)) await sweepBreakglass(deps, leadership);
    },
    lag: () => lagOf(deps),
  });
}

/** One round. A failure of one session does not stop the others; the first failure is thrown at the end. */
export async function sweepBreakglass(deps: BreakglassDeps, leadership: Leadership): Promise<void> {
  const failures: unknown[] = [];
  const each = async (due: readonly Due[], work: (one: Due) => Promise<unknown>): Promise<void> => {
    for (const one of due) {
      leadership.signal.throwIfAborted();
      await work(one).catch((error: unknown) => failures.push(error));
    }
  };
  await each(await overdue(deps), ({ tenantId, id }) =>
    deps.database.withTenant(tenantId, async (tx) => {
      await leadership.assert(tx);
      await expireSessions(deps, tx, (query) => query.where('id', '=', id));
    }),
  );
  await each(await unsynced(deps), (one) => sync(deps, one, leadership));
  if (failures.length > 0) throw failures[0];
}

async function sync(deps: BreakglassDeps, due: Due, leadership: Leadership): Promise<void> {
  const row = await claimSync(deps, due, leadership);
  if (!row) return;
  try {
    await syncEmergency(deps, row, randomUUID());
  } catch (error) {
    deps.logger.warn(
      { err: error, sessionId: row.id, attempts: row.sync_attempts, wanted: row.sync_wanted },
      'auth or the vault has not confirmed an emergency session; it is tried again',
    );
  }
}

/**
 * Postpones the next attempt before this one starts: other replicas skip the session, and a crash costs one
 * delay.
 */
export function claimSync(
  deps: BreakglassDeps,
  due: Due,
  leadership?: Leadership,
): Promise<BreakglassSessionRow | undefined> {
  return deps.database.withTenant(due.tenantId, async (tx) => {
    await leadership?.assert(tx);
    return tx
      .updateTable('breakglass_sessions')
      .set({
        sync_attempts: sql<number>`sync_attempts + 1`,
        next_sync_at: sql<Date>`clock_timestamp() + make_interval(secs => least(${MAX_BACKOFF_SECONDS}, 5 * power(1.5, least(sync_attempts, 10))))`,
      })
      .where('id', '=', due.id)
      .where('next_sync_at', '<=', sql<Date>`clock_timestamp()`)
      .returningAll()
      .executeTakeFirst();
  });
}

function overdue({ database }: BreakglassDeps): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('breakglass_sessions')
      .select(['tenant_id as tenantId', 'id'])
      .where(sql<boolean>`state IN ('awaiting-confirmation', 'active')`)
      .where(sql<boolean>`coalesce(expires_at, confirm_until) <= now()`)
      .limit(BATCH)
      .compile(),
  );
}

function unsynced({ database }: BreakglassDeps): Promise<Due[]> {
  return database.systemQuery((reader) =>
    reader
      .selectFrom('breakglass_sessions')
      .select(['tenant_id as tenantId', 'id'])
      .where('next_sync_at', '<=', sql<Date>`now()`)
      .orderBy('next_sync_at')
      .limit(BATCH)
      .compile(),
  );
}

/** What the sweep has to do, at most `limit` rows of each kind. */
const due = (limit: number) => sql`(
  (SELECT coalesce(expires_at, confirm_until) AS due_at FROM breakglass_sessions
    WHERE state IN ('awaiting-confirmation', 'active') AND coalesce(expires_at, confirm_until) <= now()
    LIMIT ${limit})
  UNION ALL (SELECT next_sync_at FROM breakglass_sessions WHERE next_sync_at <= now() LIMIT ${limit}))`;

/** Whether the sweep has anything to do: one query instead of one for each kind. */
async function isAnythingDue({ database }: BreakglassDeps): Promise<boolean> {
  const rows = await database.systemQuery((reader) =>
    sql`SELECT FROM ${due(1)} AS due LIMIT 1`.compile(reader),
  );
  return rows.length > 0;
}

/** The backlog, counted up to ten thousand of each kind. */
async function lagOf({ database }: BreakglassDeps): Promise<DutyLag> {
  const [row] = await database.systemQuery((reader) =>
    sql<{ waiting: number; oldest_ms: number | null }>`
      SELECT count(*)::int AS waiting, (extract(epoch FROM now() - min(due_at)) * 1000)::bigint AS oldest_ms
      FROM ${due(10_000)} AS due`.compile(reader),
  );
  return { waiting: row?.waiting ?? 0, oldestMs: Math.max(0, row?.oldest_ms ?? 0) };
}
