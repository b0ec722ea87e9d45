import { createHash, randomUUID } from 'node:crypto';
import { NO_OBJECT, redact } from '@claviger/contracts';
import { canonicalJson, leafHash } from '@claviger/merkle';
import type { CallContext } from '@claviger/service-kit';

export type AuditOutcome = 'allowed' | 'denied' | 'failed';

/** One record of the audit log. `details` contains only fields that the contract marks public. */
export interface AuditEvent {
  v: 1;
  id: string;
  tenantId: string;
  action: string;
  outcome: AuditOutcome;
  actorId: string;
  actorName: string;
  actorKind: 'user' | 'api-token' | 'agent' | 'service' | 'anonymous';
  subjectType: string;
  subjectId: string;
  resourceId: string;
  service: string;
  sourceAddress: string;
  requestId: string;
  /** The reason of a denial or failure; for a success, the reason that the actor gave. */
  reason: string;
  details: Record<string, unknown>;
  /** RFC 3339, milliseconds, UTC. */
  occurredAt: string;
}

export interface CanonicalEvent {
  readonly event: AuditEvent;
  /** The exact text that is hashed (RFC 8785). */
  readonly canonical: string;
  /** Hex. */
  readonly leafHash: string;
}

const MAX_DETAILS_BYTES = 16_384;

export interface AuditInput {
  readonly service: string;
  readonly context: CallContext;
  readonly outcome: AuditOutcome;
  /** The method's audit action by default. */
  readonly action?: string;
  readonly reason?: string;
  readonly subject?: { type: string; id: string; resourceId?: string };
  /** Public facts; the request's public fields by default. */
  readonly details?: Record<string, unknown>;
  readonly request?: object;
}

/** The canonical event of a call. */
export function auditEventOf(input: AuditInput): CanonicalEvent {
  const { context } = input;
  const actor = context.actorIfAny;
  const subject = input.subject ?? context.auditSubject;
  return canonicalEvent({
    v: 1,
    id: randomUUID(),
    tenantId: context.auditTenantId ?? context.tenantId,
    action: input.action ?? context.method.policy!.audit,
    outcome: input.outcome,
    actorId: actor?.userId ?? context.auditActorId ?? '',
    actorName: actor?.userName ?? context.auditActorName ?? '',
    actorKind: actor ? actor.kind : context.method.policy!.internal ? 'service' : 'anonymous',
    subjectType: subject?.type ?? '',
    // A malformed id names no subject; the details contain it.
    subjectId: subject?.id === NO_OBJECT ? '' : (subject?.id ?? ''),
    resourceId: subject?.resourceId ?? '',
    service: input.service,
    sourceAddress: context.sourceAddress,
    requestId: context.requestId,
    reason: storable(input.reason ?? ''),
    details: bounded(input.details ?? (input.request ? redact(context.method.request, input.request) : {})),
    occurredAt: new Date().toISOString(),
  });
}

/** The canonical form of an event without a call, e.g. of a duty. */
export function canonicalEvent(event: AuditEvent): CanonicalEvent {
  const canonical = canonicalJson(event);
  return { event, canonical, leafHash: leafHash(Buffer.from(canonical)).toString('hex') };
}

/**
 * A refused request may contain characters that PostgreSQL or the canonical form does not allow. Its refusal
 * must still be recorded.
 */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

/** Details that are too large are replaced by their size and digest, so the event is never dropped. */
function bounded(details: Record<string, unknown>): Record<string, unknown> {
  // Undefined members and dates have no canonical form; JSON.stringify converts them.
  const text = JSON.stringify(details, (_, value: unknown) =>
    typeof value === 'string' ? storable(value) : value,
  );
  if (Buffer.byteLength(text) <= MAX_DETAILS_BYTES) return JSON.parse(text) as Record<string, unknown>;
  return {
    truncated: true,
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  };
}
