import type { AuditEvent } from '@claviger/events';
import type { EventsTable } from './schema.ts';

/** Columns that repeat parts of the canonical event, for filters. */
export type EventColumns = Pick<
  EventsTable,
  | 'action'
  | 'outcome'
  | 'actor_id'
  | 'actor_name'
  | 'actor_kind'
  | 'subject_type'
  | 'subject_id'
  | 'resource_id'
  | 'service'
  | 'source_address'
  | 'request_id'
  | 'reason'
  | 'occurred_at'
>;

const MEMBER_OF = {
  action: 'action',
  outcome: 'outcome',
  actor_id: 'actorId',
  actor_name: 'actorName',
  actor_kind: 'actorKind',
  subject_type: 'subjectType',
  subject_id: 'subjectId',
  resource_id: 'resourceId',
  service: 'service',
  source_address: 'sourceAddress',
  request_id: 'requestId',
  reason: 'reason',
} as const satisfies Partial<Record<keyof EventColumns, keyof AuditEvent>>;

type TextColumn = keyof typeof MEMBER_OF;
const TEXT_COLUMNS = Object.keys(MEMBER_OF) as TextColumn[];

/**
 * PostgreSQL text cannot contain NUL, but JSON can. The column contains a replacement character; the
 * canonical event is exact.
 */
const storable = (text: string): string => text.replaceAll('\u0000', '\ufffd');

export function columnsOf(event: AuditEvent): EventColumns {
  const texts = Object.fromEntries(TEXT_COLUMNS.map((name) => [name, storable(event[MEMBER_OF[name]])]));
  return { ...(texts as Record<TextColumn, string>), occurred_at: new Date(event.occurredAt) };
}

/** The members in which a row's columns differ from its canonical event; empty when all agree. */
export function differingMembers(
  row: EventColumns & { tenant_id: string; event_id: string },
  event: AuditEvent,
): Partial<AuditEvent> {
  const expected = columnsOf(event);
  const differing: Record<string, string> = {};
  for (const name of TEXT_COLUMNS) if (row[name] !== expected[name]) differing[MEMBER_OF[name]] = row[name];
  if (row.occurred_at.getTime() !== expected.occurred_at.getTime())
    differing.occurredAt = row.occurred_at.toISOString();
  if (row.event_id !== event.id) differing.id = row.event_id;
  if (row.tenant_id !== event.tenantId) differing.tenantId = row.tenant_id;
  return differing;
}
