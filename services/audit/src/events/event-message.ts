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
 * An event as the API shows it, read from the canonical event and not from the columns.
 *
 * @throws {ClavigerError} `integrity_error` when the altered text is not valid JSON.
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
    throw new ClavigerError(
      'integrity_error',
      `The stored event ${sequence ?? ''} cannot be read: its text was altered.`,
      {
        hint: 'Export the log as jsonl and verify it offline: the verification names every altered event.',
      },
    );
  }
}
