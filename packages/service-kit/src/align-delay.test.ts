import { expect, test } from 'vitest';
import { alignDelay } from './align-delay.ts';

test('long delays end on a common tick, at most 125 ms early or late; short ones are unchanged', () => {
  expect(alignDelay(500, 10)).toBe(490);
  expect(alignDelay(480, 10)).toBe(490);
  expect(alignDelay(1_150, 0)).toBe(1_250);
  expect(alignDelay(250, 99.5)).toBe(150.5);
  expect(alignDelay(249, 10)).toBe(249);
  expect(alignDelay(0, 10)).toBe(0);
});
