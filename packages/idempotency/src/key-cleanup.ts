import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';

const BATCH = 5_000;
const INTERVAL_MS = 10 * 60_000;

/** Removes keys older than a day, in bites; answers how many. The policy of the table keeps what is younger. */
export async function removeOldKeys<DB>(
  database: Database<DB>,
  leadership: Pick<Leadership, 'assert' | 'signal'>,
): Promise<number> {
  let removed = 0;
  while (!leadership.signal.aborted) {
    const { numAffectedRows } = await database.system(async (tx) => {
      await leadership.assert(tx);
      return await sql`
        DELETE FROM idempotency_keys WHERE (tenant_id, actor_id, key_digest) IN (
          SELECT tenant_id, actor_id, key_digest FROM idempotency_keys
          WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT ${BATCH})`.execute(tx);
    });
    const count = Number(numAffectedRows ?? 0);
    removed += count;
    if (count < BATCH) break;
  }
  return removed;
}

/** Removes them every ten minutes, on the replica that leads. */
export function startKeyCleanup<DB>(options: {
  readonly database: Database<DB>;
  readonly cluster: DutyHost;
}): Duty {
  return startDuty({
    cluster: options.cluster,
    name: 'idempotency key cleanup',
    everyMs: INTERVAL_MS,
    run: async (leadership) => {
      await removeOldKeys(options.database, leadership);
    },
  });
}
