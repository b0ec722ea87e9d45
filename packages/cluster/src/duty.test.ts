import { createLogger } from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { startDuty } from './duty.ts';
import type { Leadership } from './leadership.ts';
import { soleLeadership } from './sole-replica.ts';

test('a duty continues without a wake-up after its leader did not trust its lease for a moment', async () => {
  let looks = 0;
  // The lease almost expired at the first check and was renewed in time: the term continues without an
  // election.
  const leadership: Leadership = { ...soleLeadership, holds: () => ++looks > 1 };
  const logger = createLogger({ service: 'test', node: 'test-1', level: 'silent' });
  const ran = Promise.withResolvers<void>();
  await using _duty = startDuty({
    cluster: { logger, leadership: () => leadership, add: () => {}, remove: () => {} },
    name: 'test',
    everyMs: 60_000,
    run: async () => ran.resolve(),
  });
  await ran.promise;
  expect(looks).toBe(2);
});
