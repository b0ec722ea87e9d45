import type { Database } from '@claviger/database';
import type { PublishedEvent } from '@claviger/events';
import { sql } from 'kysely';
import type { AuditSchema } from '../schema.ts';

/** Returns the indexes of events that are neither stored with this text nor kept as dead letters. */
export async function findMissing(
  database: Database<AuditSchema>,
  events: readonly PublishedEvent[],
): Promise<number[]> {
  const { rows } = await database.system((tx) =>
    sql<{ place: number }>`
      SELECT (place - 1)::int AS place FROM unnest(
        ${events.map((event) => event.tenantId)}::uuid[],
        ${events.map((event) => event.id)}::uuid[],
        ${events.map((event) => Buffer.from(event.leafHash))}::bytea[],
        ${events.map((event) => event.messageDigest)}::text[])
        WITH ORDINALITY AS asked (tenant_id, event_id, leaf_hash, digest, place)
      WHERE NOT EXISTS (SELECT FROM events WHERE events.tenant_id = asked.tenant_id
          AND events.event_id = asked.event_id AND events.leaf_hash = asked.leaf_hash)
        AND NOT EXISTS (SELECT FROM dead_letters WHERE dead_letters.id = asked.digest)`.execute(tx),
  );
  return rows.map((row) => row.place);
}
