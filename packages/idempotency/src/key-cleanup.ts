import { type Duty, type DutyHost, type Leadership, removeInBatches, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';

const BATCH = 5_000;
const INTERVAL_MS = 10 * 60_000;
const MORE_MS = 1_000;

const removal = {
  limit: BATCH,
  statement: sql`
    DELETE FROM idempotency_keys WHERE (tenant_id, actor_id, key_digest) IN (
      SELECT tenant_id, actor_id, key_digest FROM idempotency_keys
      WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT ${BATCH})`,
};

/** Deletes keys older than a day, in batches. The policy of the table keeps younger ones. */
export function removeOldKeys<DB>(
  database: Database<DB>,
  leadership: Pick<Leadership, 'assert' | 'signal'>,
): ReturnType<typeof removeInBatches> {
  return removeInBatches(database, leadership, [removal]);
}

/** Deletes old keys every ten minutes, on the leader. */
export function startKeyCleanup<DB>(options: {
  readonly database: Database<DB>;
  readonly cluster: DutyHost;
}): Duty {
  return startDuty({
    cluster: options.cluster,
    name: 'idempotency key cleanup',
    everyMs: INTERVAL_MS,
    run: async (leadership) => {
      const { hasMore } = await removeOldKeys(options.database, leadership);
      return hasMore ? { nextInMs: MORE_MS } : undefined;
    },
  });
}
