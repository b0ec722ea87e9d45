import type { Leadership } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import type { Logger } from '@claviger/service-kit';
import { markPublished } from './outbox-rows.ts';
import { publishInTime } from './publish-in-time.ts';
import type { OutboxMessage, Publisher } from './publisher.ts';
import type { OutboxSchema } from './schema.ts';

export interface ConfirmDeps {
  readonly database: Database<OutboxSchema>;
  readonly logger: Logger;
  readonly kind: string;
  readonly publisher: Publisher;
}

/**
 * Returns the messages whose arrival is not confirmed. A message that the consumer does not have, although
 * the stream holds nothing for it, is lost (expired, purged or gone with its store) and is published again.
 */
export async function confirmArrival(
  { database, logger, kind, publisher }: ConfirmDeps,
  leadership: Leadership,
  messages: readonly OutboxMessage[],
): Promise<readonly OutboxMessage[]> {
  const { arrival } = publisher;
  if (!arrival || messages.length === 0) return [];
  const missing = await arrival.missing(messages);
  if (missing.length === 0 || !(await arrival.isDrained())) return missing;
  // Ask again: the consumer may have stored messages since the first answer.
  const lost = await arrival.missing(missing);
  if (lost.length > 0) {
    await publishInTime(publisher, lost, { again: true });
    await markPublished(database, leadership, lost);
    logger.warn(
      { kind, count: lost.length },
      'published messages did not reach their consumer; they were published again',
    );
  }
  return lost;
}
