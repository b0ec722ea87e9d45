import type { Database } from '@claviger/database';
import { MESSAGE_COLUMNS, messageOf } from './outbox-rows.ts';
import { publishInTime } from './publish-in-time.ts';
import type { Publisher } from './publisher.ts';
import type { OutboxSchema } from './schema.ts';

const BATCH = 200;
/** Allows for different clocks of store and database. Consumers ignore duplicates. */
const CLOCK_MARGIN_MS = 5 * 60_000;

/**
 * Publishes again all rows of a kind that were published before `before`, because their store was lost.
 * Consumers recognise duplicates by id. Returns the number of rows.
 */
export async function republish(
  database: Database<OutboxSchema>,
  kind: string,
  publisher: Publisher,
  before: Date,
  signal?: AbortSignal,
): Promise<number> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (let count = 0; ; ) {
    signal?.throwIfAborted();
    const rows = await database.system((tx) =>
      tx
        .selectFrom('outbox')
        .select(MESSAGE_COLUMNS)
        .where('published_at', '<', new Date(before.getTime() + CLOCK_MARGIN_MS))
        .where('kind', '=', kind)
        .where('event_id', '>', after)
        .orderBy('event_id')
        .limit(BATCH)
        .execute(),
    );
    if (rows.length === 0) return count;
    await publishInTime(publisher, rows.map(messageOf), { again: true });
    count += rows.length;
    after = rows.at(-1)!.event_id;
  }
}
