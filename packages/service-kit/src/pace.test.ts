import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPace, type ProcessorTimes } from './pace.ts';

const STRETCH_MS = 20;

/** A machine with this share of idle time. */
function machine(idleShare: number): () => ProcessorTimes {
  let all = 0;
  return () => {
    all += 1_000;
    return { idle: all * idleShare, all };
  };
}

/** How long the work takes and how long it rests. */
async function stretchAndRest(idleShare: number, longestRestMs: number) {
  const pace = createPace({ longestRestMs, processorTimes: machine(idleShare) });
  const beganMs = performance.now();
  await delay(STRETCH_MS);
  const endedMs = performance.now();
  await pace.rest();
  return { tookMs: endedMs - beganMs, restedMs: performance.now() - endedMs };
}

test('on a busy machine work rests for twice the time that it took', async () => {
  const { tookMs, restedMs } = await stretchAndRest(0.1, 10_000);
  // Timers count whole milliseconds.
  expect(restedMs).toBeGreaterThan(2 * tookMs - 2);
});

test('a machine with time to spare is used', async () => {
  const pace = createPace({ longestRestMs: 2 ** 31 - 1, processorTimes: machine(0.5) });
  await delay(STRETCH_MS);
  let hasRested = false;
  const rest = pace.rest().then(() => {
    hasRested = true;
  });
  // Without a timer it is over before the next turn of the event loop.
  await new Promise(setImmediate);
  expect(hasRested).toBe(true);
  await rest;
});

test('the state of the machine is looked at anew', async () => {
  let idleShare = 0;
  let [idle, all] = [0, 0];
  const pace = createPace({
    longestRestMs: 1,
    processorTimes: () => {
      all += 1_000;
      idle += 1_000 * idleShare;
      return { idle, all };
    },
  });
  await pace.rest();
  idleShare = 1;
  const isFree = async () => {
    let hasRested = false;
    void pace.rest().then(() => {
      hasRested = true;
    });
    await new Promise(setImmediate);
    return hasRested;
  };
  await expect.poll(isFree).toBe(true);
});
