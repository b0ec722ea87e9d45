import { createLogger } from '@claviger/service-kit';
import { expect, test } from 'vitest';
import { createReader, type ReadSettings, sections } from './index.ts';

const logger = createLogger({ service: 'test', node: 'test-1', level: 'silent' });

function reader(answer: (known: string) => ReadSettings) {
  const clock = { now: 0, asked: 0 };
  const made = createReader({
    sections: ['access'],
    logger,
    now: () => clock.now,
    source: async ({ knownVersion }) => {
      clock.asked += 1;
      return answer(knownVersion);
    },
  });
  return { clock, reader: made, read: () => made.read('t') };
}

test('every section has valid defaults', () => {
  for (const section of Object.values(sections)) expect(section.problems({})).toEqual([]);
});

test('unset keys have their defaults, and keys unknown to this release are ignored', async () => {
  const { read } = reader(() => ({
    version: '1.0',
    values: { access: { maximumGrantMinutes: 60, later: 1 }, more: {} },
  }));
  expect((await read()).values.access).toEqual({ ...sections.access.defaults, maximumGrantMinutes: 60 });
});

test('callers within five seconds share one request; an unchanged version keeps the values', async () => {
  const { clock, read } = reader((known) => ({
    version: '2.0',
    values: known ? undefined : { access: { maximumGrantMinutes: 30 } },
  }));
  const [first] = await Promise.all([read(), read(), read()]);
  expect(clock.asked).toBe(1);
  clock.now = 5_001;
  expect(await read()).toBe(first);
  expect(clock.asked).toBe(2);
});

test('a caller that just changed a setting can bypass the cache', async () => {
  const minutes = [30, 60];
  const { clock, reader: made } = reader(() => ({
    version: String(minutes.length),
    values: { access: { maximumGrantMinutes: minutes.shift() } },
  }));
  await made.read('t');
  expect((await made.read('t', { maxAgeMs: 0 })).values.access.maximumGrantMinutes).toBe(60);
  expect(clock.asked).toBe(2);
});

test('during an outage of auth the last known settings are used; without any, the outage is reported', async () => {
  let away = true;
  const { clock, read } = reader(() => {
    if (away) throw new Error('away');
    return { version: '3.0', values: { access: { maximumGrantMinutes: 45 } } };
  });
  await expect(read()).rejects.toThrow('away');
  away = false;
  expect((await read()).values.access.maximumGrantMinutes).toBe(45);
  away = true;
  clock.now = 60_000;
  expect((await read()).values.access.maximumGrantMinutes).toBe(45);
});
