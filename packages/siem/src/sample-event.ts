import { createHash, randomUUID } from 'node:crypto';
import type { SiemEvent } from './siem-event.ts';

/** For tests. */
export function sampleEvent(change: Partial<SiemEvent> = {}): SiemEvent {
  return {
    id: randomUUID(),
    tenantId: '7f0c5dc2-0000-4000-8000-000000000001',
    sequence: 41,
    leafHash: createHash('sha256').update('x').digest('hex'),
    action: 'vault.entry.retrieved',
    outcome: 'allowed',
    actorId: 'b1',
    actorName: 'ann',
    actorKind: 'user',
    subjectType: 'entry',
    subjectId: 'e1',
    resourceId: '',
    service: 'vault',
    sourceAddress: '192.0.2.7',
    requestId: 'r1',
    reason: 'on call',
    details: { times: 1 },
    occurredAt: '2026-03-01T10:11:12.345Z',
    ...change,
  };
}
