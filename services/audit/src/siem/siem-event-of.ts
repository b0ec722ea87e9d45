import type { AuditEvent } from '@claviger/events';
import type { SiemEvent } from '@claviger/siem';
import type { EventRow } from '../schema.ts';

/**
 * Returns the SIEM event of a sequenced event, from its canonical text. If that text is unreadable, the SIEM
 * event contains the columns and a note of the problem, so that forwarding continues.
 */
export function siemEventOf(row: EventRow): SiemEvent {
  const place = { sequence: row.sequence ?? undefined, leafHash: row.leaf_hash.toString('hex') };
  try {
    const { v: _, ...event } = JSON.parse(row.canonical) as AuditEvent;
    return { ...event, ...place };
  } catch {
    return {
      id: row.event_id,
      tenantId: row.tenant_id,
      action: row.action,
      outcome: row.outcome,
      actorId: row.actor_id,
      actorName: row.actor_name,
      actorKind: row.actor_kind,
      subjectType: row.subject_type,
      subjectId: row.subject_id,
      resourceId: row.resource_id,
      service: row.service,
      sourceAddress: row.source_address,
      requestId: row.request_id,
      reason: row.reason,
      details: { problem: 'The text of this event was altered: verify the log.' },
      occurredAt: row.occurred_at.toISOString(),
      ...place,
    };
  }
}
