import { anyOf, type Tx } from '@claviger/database';
import { messageDigest, type OutboxMessage } from '@claviger/events';
import { sql } from 'kysely';
import { columnsOf } from '../event-columns.ts';
import type { AuditSchema } from '../schema.ts';
import type { ProvenEvent } from './check-message.ts';

/**
 * Inserts the events of one tenant in one statement. Stored events are not changed. Returns the events whose
 * id is stored with a different text.
 */
export async function insertEvents(
  tx: Tx<AuditSchema>,
  tenantId: string,
  events: readonly ProvenEvent[],
): Promise<ProvenEvent[]> {
  const columns = events.map(({ event }) => columnsOf(event));
  const text = (name: keyof (typeof columns)[number]) => columns.map((each) => each[name]);
  const { rows } = await sql<{ event_id: string }>`
    INSERT INTO events (tenant_id, event_id, canonical, leaf_hash, mac, action, outcome, actor_id, actor_name, actor_kind,
      subject_type, subject_id, resource_id, service, source_address, request_id, reason, occurred_at)
    SELECT ${tenantId}::uuid, * FROM unnest(
      ${events.map(({ event }) => event.id)}::uuid[],
      ${events.map(({ message }) => message.payload)}::text[],
      ${events.map((each) => each.leafHash)}::bytea[],
      ${events.map(({ message }) => message.mac)}::bytea[],
      ${text('action')}::text[], ${text('outcome')}::text[], ${text('actor_id')}::text[], ${text('actor_name')}::text[],
      ${text('actor_kind')}::text[], ${text('subject_type')}::text[], ${text('subject_id')}::text[],
      ${text('resource_id')}::text[], ${text('service')}::text[], ${text('source_address')}::text[],
      ${text('request_id')}::text[], ${text('reason')}::text[],
      ${events.map(({ event }) => event.occurredAt)}::timestamptz[])
    ON CONFLICT (tenant_id, event_id) DO NOTHING RETURNING event_id`.execute(tx);
  if (rows.length === events.length) return [];
  return differentTexts(tx, events);
}

async function differentTexts(tx: Tx<AuditSchema>, events: readonly ProvenEvent[]): Promise<ProvenEvent[]> {
  const stored = await tx
    .selectFrom('events')
    .select(['event_id', 'leaf_hash'])
    .where(
      'event_id',
      '=',
      anyOf(
        events.map(({ event }) => event.id),
        'uuid',
      ),
    )
    .execute();
  const hashes = new Map(stored.map((row) => [row.event_id, row.leaf_hash]));
  return events.filter(({ event, leafHash }) => !hashes.get(event.id)?.equals(leafHash));
}

/** Stores a refused message with the reason. A redelivery is stored once. */
export async function insertDeadLetter(
  tx: Tx<AuditSchema>,
  message: OutboxMessage,
  reason: string,
): Promise<void> {
  const printable = (text: string): string => text.replaceAll('\u0000', '\ufffd').slice(0, 256);
  await tx
    .insertInto('dead_letters')
    .values({
      id: messageDigest(message),
      reason,
      subject: printable(message.subject),
      tenant_id: printable(message.tenantId),
      event_id: printable(message.eventId),
      payload: Buffer.from(message.payload),
      mac: message.mac,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
