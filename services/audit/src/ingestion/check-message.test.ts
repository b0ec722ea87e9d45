import { randomBytes, randomUUID } from 'node:crypto';
import { canonicalEvent, macKeyOf, type OutboxMessage, outboxMac } from '@claviger/events';
import { expect, test } from 'vitest';
import { checkMessage } from './check-message.ts';

const macs = new Map(['vault', 'auth'].map((service) => [service, macKeyOf(randomBytes(32))]));

function message(change: Partial<OutboxMessage> = {}, event: object = {}): OutboxMessage {
  const { event: made, canonical } = canonicalEvent({
    v: 1,
    id: randomUUID(),
    tenantId: randomUUID(),
    action: 'a.b',
    outcome: 'allowed',
    actorId: '',
    actorName: '\u0000odd\u2028',
    actorKind: 'service',
    subjectType: '',
    subjectId: '',
    resourceId: '',
    service: 'vault',
    sourceAddress: '',
    requestId: '',
    reason: '',
    details: {},
    occurredAt: new Date().toISOString(),
    ...event,
  });
  const payload = change.payload ?? canonical;
  return {
    tenantId: made.tenantId,
    eventId: made.id,
    subject: 'audit.vault',
    mac: outboxMac(macs.get('vault')!, 'audit.vault', payload),
    traceparent: undefined,
    ...change,
    payload,
  };
}

test('an event with the MAC of its service is accepted', () => {
  expect(checkMessage(message(), macs)).toMatchObject({ event: { action: 'a.b', service: 'vault' } });
});

test.each([
  ['its MAC is missing', message({ mac: Buffer.alloc(0) })],
  ['its MAC belongs to another text', message({ mac: message().mac })],
  ['it claims to come from another service', message({ subject: 'audit.auth' })],
  ['its subject names no service', message({ subject: 'audit.nobody' })],
  ['its subject has more parts', message({ subject: 'audit.vault.x' })],
  ['its tenant differs from its header', message({ tenantId: randomUUID() })],
  ['its id differs from its header', message({ eventId: randomUUID() })],
  ['its service differs from its subject', message({}, { service: 'auth' })],
  ['it is not canonical', message({ payload: '{ "v": 1 }' })],
  ['it is not JSON', message({ payload: 'hello' })],
  ['it has duplicate names', message({ payload: '{"v":1,"v":1}' })],
  ['it lacks members of an event', message({ payload: '{"v":1}' })],
  ['its outcome is unknown', message({}, { outcome: 'perhaps' })],
  ['its time does not exist', message({}, { occurredAt: '2026-02-30T00:00:00.000Z' })],
])('a message is refused with a reason when %s', (_, bad) => {
  expect(checkMessage(bad, macs)).toMatchObject({ problem: expect.any(String) });
});
