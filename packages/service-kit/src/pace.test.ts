import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPace, type Pace, type ProcessorTimes } from './pace.ts';

const STRETCH_MS = 20;
/** Longer than any test, so that an unwanted rest is noticed. */
const FOREVER_MS = 2 ** 31 - 1;

/** A machine whose share of idle time between two samples is `idleShare`. */
function machine(idleShare: () => number): () => ProcessorTimes {
  let [idle, all] = [0, 0];
  return () => {
    all += 1_000;
    idle += 1_000 * idleShare();
    return { idle, all };
  };
}

/** Without a timer, a rest ends before the next turn of the event loop. */
async function isImmediate(pace: Pace): Promise<boolean> {
  let isOver = false;
  void pace.rest().then(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  return isOver;
}

test('on a busy machine, work rests for twice the time it took', async () => {
  const pace = createPace({ longestRestMs: 10_000, processorTimes: machine(() => 0.1) });
  const beganMs = performance.now();
  await delay(STRETCH_MS);
  const endedMs = performance.now();
  await pace.rest();
  // Timers count whole milliseconds.
  expect(performance.now() - endedMs).toBeGreaterThan(2 * (endedMs - beganMs) - 2);
});

test('on an idle machine, work does not rest', async () => {
  const pace = createPace({ longestRestMs: FOREVER_MS, processorTimes: machine(() => 0.5) });
  await delay(STRETCH_MS);
  expect(await isImmediate(pace)).toBe(true);
});

test('work that alone makes the machine busy rests once and then continues', async () => {
  let isResting = false;
  const pace = createPace({ longestRestMs: 1, processorTimes: machine(() => (isResting ? 0.9 : 0)) });
  await delay(STRETCH_MS);
  const rest = pace.rest();
  isResting = true;
  await rest;
  isResting = false;
  await delay(STRETCH_MS);
  expect(await isImmediate(pace)).toBe(true);
  // Other work may have started, so it samples again.
  await expect.poll(() => isImmediate(pace), { timeout: 10_000 }).toBe(false);
});

test('the state of the machine is sampled again', async () => {
  let idleShare = 0;
  const pace = createPace({ longestRestMs: 1, processorTimes: machine(() => idleShare) });
  await delay(STRETCH_MS);
  await pace.rest();
  idleShare = 1;
  await expect.poll(() => isImmediate(pace)).toBe(true);
});
