import { createLogger } from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { startDuty } from './duty.ts';
import type { Leadership } from './leadership.ts';
import { soleLeadership } from './sole-replica.ts';

test('a duty whose leader could not trust itself for a moment goes on, though nothing wakes it', async () => {
  let looks = 0;
  // The lease was about to end at the first look, and was renewed in time: the term goes on, nobody is elected anew.
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
