import type * as audit from '@claviger/contracts/audit/v1/audit';
import { ClavigerError } from '@claviger/errors';
import type { AuditEvent } from '@claviger/events';

export interface StoredEvent {
  readonly sequence: number | null;
  readonly canonical: string;
  readonly leaf_hash: Buffer;
}

export const STORED_EVENT = ['sequence', 'canonical', 'leaf_hash'] as const;

/**
 * An event as the API shows it: read from the text that is hashed, not from the columns beside it.
 *
 * @throws {ClavigerError} `integrity_error` when the text was altered so that it is no event any more.
 */
export function eventMessage(row: StoredEvent): audit.AuditEvent {
  const event = parse(row);
  return {
    id: event.id,
    sequence: row.sequence ?? undefined,
    action: event.action,
    outcome: event.outcome,
    actorId: event.actorId,
    actorName: event.actorName,
    actorKind: event.actorKind,
    subjectType: event.subjectType,
    subjectId: event.subjectId,
    resourceId: event.resourceId,
    service: event.service,
    sourceAddress: event.sourceAddress,
    requestId: event.requestId,
    reason: event.reason,
    details: event.details,
    occurredAt: event.occurredAt,
    leafHash: row.leaf_hash.toString('hex'),
    canonical: '',
  };
}

function parse({ canonical, sequence }: StoredEvent): AuditEvent {
  try {
    return JSON.parse(canonical) as AuditEvent;
  } catch {
    throw new ClavigerError('integrity_error', `The stored event ${sequence ?? ''} is no event any more.`, {
      hint: 'Export the log as jsonl and verify it offline: that names every altered event.',
    });
  }
}
