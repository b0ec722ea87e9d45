import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('calls run in parallel up to the limit, and further calls in order, also after a failure', async () => {
  const turns = createTurns(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
  const all = gates.map((gate, index) =>
    turns.take('k', async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(index);
      await gate.promise.finally(() => {
        running -= 1;
      });
    }),
  );
  const other = await turns.take('another', async () => 'at once');
  expect(other).toBe('at once');
  gates[1]!.reject(new Error('failed'));
  for (const [index, gate] of gates.entries()) if (index !== 1) gate.resolve();
  const outcomes = await Promise.allSettled(all);
  expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).toHaveLength(1);
  expect(most).toBe(2);
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
});

test('the number of waiting calls has a limit', async () => {
  const turns = createTurns(1);
  const first = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 2_001 }, () => turns.take('k', () => first.promise));
  await expect(turns.take('k', async () => {})).rejects.toMatchObject({ reason: 'rate_limited' });
  first.resolve();
  await Promise.all(waiting);
});
