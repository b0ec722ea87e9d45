import { expect, test } from 'vitest';
import { dueMoment, momentsOf } from './cron.ts';
import { lastPeriod } from './period.ts';

const at = (text: string) => new Date(text);
const next = (cron: string, zone: string, from: string, count = 2) =>
  momentsOf(cron, zone, at(from))
    .next(count, at(from))
    .map((moment) => moment.toISOString());

test('a time that daylight saving skips runs once that day', () => {
  // Berlin, 2026-03-29: 02:30 does not exist.
  const runs = next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3);
  expect(runs.filter((run) => run.startsWith('2026-03-29'))).toHaveLength(1);
  expect(runs[1]).toBe('2026-03-30T00:30:00.000Z');
});

test('a time that occurs twice runs once', () => {
  // Berlin, 2026-10-25: 02:30 is 00:30Z and again 01:30Z.
  const runs = next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z');
  expect(runs.filter((run) => run.startsWith('2026-10-25'))).toHaveLength(1);
  expect(runs[1]).toBe('2026-10-26T01:30:00.000Z');
});

test('runs keep the local time when daylight saving begins or ends', () => {
  expect(next('0 6 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-29T04:00:00.000Z']);
  expect(next('0 6 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 1)).toEqual(['2026-03-28T05:00:00.000Z']);
});

test.each([
  ['* * * * *', 'UTC'],
  ['0,30 6 * * *', 'UTC'],
  ['0 6 * *', 'UTC'],
  ['0 0 6 * * *', 'UTC'],
  ['0 6 30 2 *', 'UTC'],
  ['nonsense', 'UTC'],
  ['0 6 * * *', 'Middle/Earth'],
])('%s in %s is refused', (cron, zone) => {
  expect(() => momentsOf(cron, zone)).toThrow('not valid');
});

test('after an outage the newest moment is due, and earlier ones count as missed', () => {
  const moments = momentsOf('0 * * * *', 'UTC', at('2026-03-01T00:00:00Z'));
  const due = dueMoment(moments, at('2026-03-01T01:00:00Z'), at('2026-03-11T00:30:00Z'));
  expect(due).toEqual({ occurrence: at('2026-03-11T00:00:00Z'), missed: 239 });
});

test.each([
  ['day', '2026-03-01T03:00:00Z', 'UTC', '2026-02-28', '2026-02-28'],
  ['week', '2026-03-04T03:00:00Z', 'UTC', '2026-02-23', '2026-03-01'],
  ['month', '2026-03-31T23:30:00Z', 'Europe/Berlin', '2026-03-01', '2026-03-31'],
  ['month', '2026-01-15T00:00:00Z', 'UTC', '2025-12-01', '2025-12-31'],
  ['quarter', '2026-01-15T00:00:00Z', 'UTC', '2025-10-01', '2025-12-31'],
] as const)('the last %s before %s in %s is %s to %s', (period, moment, zone, from, to) => {
  expect(lastPeriod(period, at(moment), zone)).toEqual({ from, to });
});
