import type { OutboxRow } from '@claviger/events';
import { z } from 'zod';

/** One disclosure in the journal: the exact audit event and its rows in the vault's tables. */
const disclosureSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('disclosure'),
  tenantId: z.uuid(),
  sessionId: z.uuid(),
  userId: z.uuid(),
  entryId: z.uuid(),
  version: z.int().positive(),
  disclosedAt: z.iso.datetime(),
  eventId: z.uuid(),
  subject: z.string(),
  payload: z.string(),
  mac: z.base64(),
  traceparent: z.string().nullable(),
});
export type JournaledDisclosure = z.infer<typeof disclosureSchema>;

/** A drill writes a record as a disclosure does. The merge ignores it. */
const drillSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal('drill'),
  tenantId: z.uuid(),
  sessionId: z.uuid(),
  at: z.iso.datetime(),
});
export type JournaledDrill = z.infer<typeof drillSchema>;

const journalEntrySchema = z.discriminatedUnion('kind', [disclosureSchema, drillSchema]);
export type JournalEntry = z.infer<typeof journalEntrySchema>;

export function journalEntryOf(
  row: OutboxRow,
  disclosure: Pick<JournaledDisclosure, 'sessionId' | 'userId' | 'entryId' | 'version' | 'disclosedAt'>,
): JournaledDisclosure {
  return {
    v: 1,
    kind: 'disclosure',
    tenantId: row.tenant_id,
    ...disclosure,
    eventId: row.event_id,
    subject: row.subject,
    payload: row.payload,
    mac: row.mac.toString('base64'),
    traceparent: row.traceparent,
  };
}

/** Throws for a record that this version of the vault does not write. */
export function readJournalEntry(payload: string): JournalEntry {
  return journalEntrySchema.parse(JSON.parse(payload));
}

export function outboxRowOf(entry: JournaledDisclosure): OutboxRow {
  return {
    tenant_id: entry.tenantId,
    event_id: entry.eventId,
    subject: entry.subject,
    payload: entry.payload,
    mac: Buffer.from(entry.mac, 'base64'),
    traceparent: entry.traceparent,
  };
}
