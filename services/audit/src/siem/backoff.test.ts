import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('the delay grows up to half a minute, with jitter', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 1_000].map((failures) => backoffMs(failures, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(backoffMs(3, 1)).toBe(2_000);
});
