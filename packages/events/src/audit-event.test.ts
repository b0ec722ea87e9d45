import { methodOf } from '@claviger/contracts';
import { canonicalJson, leafHash } from '@claviger/merkle';
import type { CallContext } from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { auditEventOf } from './index.ts';

const context = {
  method: methodOf('/claviger.vault.v1.EntriesService/CreateEntry'),
  tenantId: '11111111-1111-4111-8111-111111111111',
  actorIfAny: undefined,
  sourceAddress: '192.0.2.1',
  requestId: 'r',
  auditSubject: { type: 'entry', id: 'e' },
} as unknown as CallContext;

function eventOf(request: object) {
  return auditEventOf({ service: 'vault', context, outcome: 'failed', reason: 'invalid', request });
}

test('an event contains the public fields of the request, in canonical form with its leaf hash', () => {
  const {
    event,
    canonical,
    leafHash: hash,
  } = eventOf({ name: 'db root', secret: 'canary', password: 'canary' });
  expect(event).toMatchObject({
    action: 'vault.entry.created',
    outcome: 'failed',
    subjectType: 'entry',
    subjectId: 'e',
  });
  expect(event.details).toMatchObject({ name: 'db root' });
  expect(canonical).toBe(canonicalJson(JSON.parse(canonical)));
  expect(hash).toBe(leafHash(Buffer.from(canonical)).toString('hex'));
  expect(canonical).not.toContain('canary');
});

test('a refused request with characters that no column allows is recorded', () => {
  const { canonical } = eventOf({ name: 'a\u0000b\ud800c \\u0000' });
  expect(JSON.parse(canonical).details.name).toBe('a\ufffdb\ufffdc \\u0000');
});

test('details that are too large are replaced by their size and digest', () => {
  expect(eventOf({ name: 'x'.repeat(1_000_000) }).event.details).toMatchObject({
    truncated: true,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});
