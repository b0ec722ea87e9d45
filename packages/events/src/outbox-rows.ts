import type { Leadership } from '@claviger/cluster';
import type { Database, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { OutboxMessage } from './publisher.ts';
import type { OutboxSchema } from './schema.ts';

/** The columns of an outbox row that make its message. */
export const MESSAGE_COLUMNS = ['tenant_id', 'event_id', 'subject', 'payload', 'mac', 'traceparent'] as const;

export function messageOf(row: {
  tenant_id: string;
  event_id: string;
  subject: string;
  payload: string;
  mac: Buffer;
  traceparent: string | null;
}): OutboxMessage {
  return {
    tenantId: row.tenant_id,
    eventId: row.event_id,
    subject: row.subject,
    payload: row.payload,
    mac: row.mac,
    traceparent: row.traceparent ?? undefined,
  };
}

/** The rows of these messages, by their keys: a condition for a `WHERE`. The statement is the same for any number of them. */
export function rowsOf(messages: readonly OutboxMessage[]) {
  const [tenants, ids] = [messages.map((each) => each.tenantId), messages.map((each) => each.eventId)];
  return sql<boolean>`(tenant_id, event_id) IN (SELECT * FROM unnest(${tenants}::uuid[], ${ids}::uuid[]))`;
}

/** Marks rows as published now, in one transaction under the term of the leader. Throws `LeadershipLost`. */
export async function markPublished(
  database: Database<OutboxSchema>,
  leadership: Leadership,
  messages: readonly OutboxMessage[],
): Promise<void> {
  const mark = (tx: Tx<OutboxSchema>) =>
    tx.updateTable('outbox').set({ published_at: sql`clock_timestamp()` }).where(rowsOf(messages)).execute();
  await database.system(async (tx) => {
    // Sent together.
    await Promise.all([leadership.assert(tx), mark(tx)]);
  });
}
