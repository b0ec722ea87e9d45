import type { Leadership } from '@claviger/cluster';
import type { Database, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { OutboxMessage } from './publisher.ts';
import type { OutboxSchema } from './schema.ts';

/** The columns of an outbox row that form its message. */
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

/**
 * A WHERE condition for the rows of these messages. The statement text is the same for any number of
 * messages.
 */
export function rowsOf(messages: readonly OutboxMessage[]) {
  const [tenants, ids] = [messages.map((each) => each.tenantId), messages.map((each) => each.eventId)];
  return sql<boolean>`(tenant_id, event_id) IN (SELECT * FROM unnest(${tenants}::uuid[], ${ids}::uuid[]))`;
}

/** Marks rows as published in one transaction, fenced by the leader's term. Throws `LeadershipLost`. */
export async function markPublished(
  database: Database<OutboxSchema>,
  leadership: Leadership,
  messages: readonly OutboxMessage[],
): Promise<void> {
  const mark = (tx: Tx<OutboxSchema>) =>
    tx.updateTable('outbox').set({ published_at: sql`clock_timestamp()` }).where(rowsOf(messages)).execute();
  await database.system(async (tx) => {
    await Promise.all([leadership.assert(tx), mark(tx)]);
  });
}
