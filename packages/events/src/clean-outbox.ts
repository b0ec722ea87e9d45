import type { Leadership } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { Publisher } from './publisher.ts';
import type { OutboxSchema } from './schema.ts';

const BATCH = 5_000;
const INTERVAL_MS = 60_000;
const MAX_MARKS = 1_000;

/** What was published before `at`, by the database's clock, has a number up to `stored` in the store. */
interface Mark {
  readonly at: Date;
  readonly stored: number;
}

/**
 * Removes what was published more than an hour ago; of messages that consumers must take up only what all of them have: until
 * then the outbox is the one place that is certain to keep it. Marks are kept in memory: a start only delays the removal.
 */
export function createCleaner(
  database: Database<OutboxSchema>,
  kind: string,
  publisher: Publisher,
  intervalMs: number = INTERVAL_MS,
) {
  let marks: Mark[] = [];
  let dueAt = performance.now() + Math.min(intervalMs, 5_000);
  return {
    /** The store is another one: its numbers start anew. */
    forget: (): void => {
      marks = [];
    },
    /** Removes a bite when it is time. `knownStore` is the store (epoch milliseconds) that holds all that was published. */
    runIfDue: async (knownStore: number | undefined, leadership: Leadership): Promise<void> => {
      if (performance.now() < dueAt) return;
      dueAt = performance.now() + intervalMs;
      const before = await settledBefore(knownStore);
      if (before && (await remove(database, kind, before, leadership)) === BATCH) dueAt = 0;
    },
  };

  async function settledBefore(knownStore: number | undefined): Promise<Date | undefined> {
    const at = await databaseTime(database);
    if (!publisher.progress) return at;
    const { createdAt, stored, consumed } = await publisher.progress();
    if (createdAt.getTime() !== knownStore) return undefined;
    marks.push({ at, stored });
    const settled = marks.findLast((mark) => mark.stored <= consumed);
    if (settled) marks = marks.slice(marks.indexOf(settled));
    // While consumers are away for long, coarser marks do.
    else if (marks.length > MAX_MARKS) marks = marks.filter((_, index) => index % 2 === 1);
    return settled?.at;
  }
}

async function databaseTime(database: Database<OutboxSchema>): Promise<Date> {
  const { rows } = await database.system((tx) =>
    sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(tx),
  );
  return rows[0]!.now;
}

/** In bites; the policy of the table keeps what is younger than an hour. */
async function remove(
  database: Database<OutboxSchema>,
  kind: string,
  before: Date,
  leadership: Leadership,
): Promise<number> {
  const result = await database.system(async (tx) => {
    await leadership.assert(tx);
    return tx
      .deleteFrom('outbox')
      .where(
        sql<boolean>`(tenant_id, event_id) IN (SELECT tenant_id, event_id FROM outbox
          WHERE published_at < least(now() - interval '1 hour', ${before.toISOString()}::timestamptz)
            AND kind = ${kind} LIMIT ${BATCH})`,
      )
      .executeTakeFirst();
  });
  return Number(result.numDeletedRows);
}
