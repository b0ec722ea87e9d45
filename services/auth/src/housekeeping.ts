import { randomInt } from 'node:crypto';
import type { Database } from '@claviger/database';
import type { Logger } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from './schema.ts';

const INTERVAL_MS = 10 * 60_000;
const JITTER_MS = 60_000;

/**
 * Removes what can no longer matter: failure counts of yesterday, sessions and links that ended a week ago. Any number
 * of replicas may run it; the policies of the tables name what may go.
 */
export function startHousekeeping(options: {
  database: Database<AuthSchema>;
  logger: Logger;
}): AsyncDisposable {
  const stop = new AbortController();
  let running = Promise.resolve();
  const schedule = (): void => {
    const timer = setTimeout(() => {
      running = tidy(options.database)
        .catch((error: unknown) => options.logger.warn({ err: error }, 'housekeeping failed; it tries again'))
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

export function tidy(database: Database<AuthSchema>): Promise<void> {
  return database.system(async (tx) => {
    await tx
      .deleteFrom('login_failures')
      .where('last_failed_at', '<', sql<Date>`now() - interval '1 day'`)
      .execute();
    await tx
      .deleteFrom('sessions')
      .where('kind', '=', 'user')
      .where('expires_at', '<', sql<Date>`now() - interval '7 days'`)
      .execute();
    await tx
      .deleteFrom('one_time_links')
      .where('expires_at', '<', sql<Date>`now() - interval '7 days'`)
      .execute();
  });
}
