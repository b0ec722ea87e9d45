import { randomInt } from 'node:crypto';
import type { Database } from '@claviger/database';
import type { Logger } from '@claviger/service-kit';
import { sql } from 'kysely';

const BATCH = 5_000;
const INTERVAL_MS = 10 * 60_000;
const JITTER_MS = 60_000;

/** Removes keys older than a day, in bites; answers how many. The policy of the table keeps what is younger. */
export async function removeOldKeys<DB>(database: Database<DB>): Promise<number> {
  let removed = 0;
  for (;;) {
    const { numAffectedRows } = await database.system((tx) =>
      sql`
        DELETE FROM idempotency_keys WHERE (tenant_id, actor_id, key_digest) IN (
          SELECT tenant_id, actor_id, key_digest FROM idempotency_keys
          WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT ${BATCH})`.execute(tx),
    );
    const count = Number(numAffectedRows ?? 0);
    removed += count;
    if (count < BATCH) return removed;
  }
}

/** Runs the removal every ten minutes. Any number of replicas may: what one removed, another does not find. */
export function startKeyCleanup<DB>(options: {
  readonly database: Database<DB>;
  readonly logger: Logger;
}): AsyncDisposable {
  const stop = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const schedule = (): void => {
    const timer = setTimeout(() => {
      running = removeOldKeys(options.database)
        .catch((error: unknown) =>
          options.logger.warn({ err: error }, 'old idempotency keys were not removed; it is tried again'),
        )
        .then(() => {
          if (!stop.signal.aborted) schedule();
        });
    }, INTERVAL_MS + randomInt(JITTER_MS));
    stop.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  schedule();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}
