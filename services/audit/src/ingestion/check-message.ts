import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { type AuditEvent, type OutboxMessage, outboxMac } from '@claviger/events';
import { canonicalJson, leafHash } from '@claviger/merkle';
import { z } from 'zod';

/** A message whose MAC and content were verified as an event of the service that its subject names. */
export interface ProvenEvent {
  readonly message: OutboxMessage;
  readonly event: AuditEvent;
  readonly leafHash: Buffer;
}

export type Checked = ProvenEvent | { readonly message: OutboxMessage; readonly problem: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuid = z.string().regex(UUID);

// Other members are allowed and kept in the canonical event: a newer service may add some.
const eventSchema = z.looseObject({
  v: z.literal(1),
  id: uuid,
  tenantId: uuid,
  action: z.string().min(1),
  outcome: z.enum(['allowed', 'denied', 'failed']),
  actorId: z.string(),
  actorName: z.string(),
  actorKind: z.enum(['user', 'api-token', 'agent', 'service', 'anonymous']),
  subjectType: z.string(),
  subjectId: z.string(),
  resourceId: z.string(),
  service: z.string().min(1),
  sourceAddress: z.string(),
  requestId: z.string(),
  reason: z.string(),
  details: z.record(z.string(), z.unknown()),
  occurredAt: z.iso.datetime({ precision: 3 }),
});

/**
 * Verifies a message: the MAC of the service in its subject, canonical JSON, and agreement with its headers.
 *
 * @param macs The MAC key of each service that writes events, by service name.
 */
export function checkMessage(message: OutboxMessage, macs: ReadonlyMap<string, KeyObject>): Checked {
  const service = /^audit\.([a-z]+)$/.exec(message.subject)?.[1];
  const key = service === undefined ? undefined : macs.get(service);
  if (key === undefined) return { message, problem: 'its subject names no service that writes events' };
  if (!hasMac(key, message.subject, message.payload, message.mac))
    return { message, problem: 'its MAC is not valid for the service in its subject' };
  const event = parse(message.payload);
  if (event === undefined) return { message, problem: 'it is not an event in canonical form' };
  if (event.id !== message.eventId) return { message, problem: 'its id differs from its header' };
  if (event.tenantId !== message.tenantId) return { message, problem: 'its tenant differs from its header' };
  if (event.service !== service) return { message, problem: 'its service differs from its subject' };
  return { message, event, leafHash: leafHash(message.payload) };
}

/** Whether the MAC is the service's MAC of this text. */
export function hasMac(key: KeyObject, subject: string, payload: string, mac: Buffer): boolean {
  const expected = outboxMac(key, subject, payload);
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

function parse(payload: string): AuditEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload);
    if (canonicalJson(value) !== payload) return undefined;
  } catch {
    return undefined;
  }
  const parsed = eventSchema.safeParse(value);
  return parsed.success ? (parsed.data as AuditEvent) : undefined;
}
