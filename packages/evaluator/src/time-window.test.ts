import { expect, test } from 'vitest';
import { compileWindow, isTimeZone, type TimeWindow } from './time-window.ts';

const at = (instant: string): number => Date.parse(instant);
const open = (window: TimeWindow, instant: string): boolean => compileWindow(window).isOpen(at(instant));

test('a window is open from its start to before its end, on its days, in its zone', () => {
  const office: TimeWindow = {
    start: '09:00',
    end: '17:30',
    days: [1, 2, 3, 4, 5],
    timezone: 'Europe/Berlin',
  };
  // Friday 2026-11-20; Berlin is one hour ahead.
  expect(open(office, '2026-11-20T07:59:59Z')).toBe(false);
  expect(open(office, '2026-11-20T08:00:00Z')).toBe(true);
  expect(open(office, '2026-11-20T16:29:59Z')).toBe(true);
  expect(open(office, '2026-11-20T16:30:00Z')).toBe(false);
  expect(open(office, '2026-11-21T10:00:00Z')).toBe(false);
  expect(open({ start: '09:00', end: '10:00' }, '2026-11-22T09:30:00Z')).toBe(true);
});

test('H-198 over midnight it belongs to the day it begins on', () => {
  const night: TimeWindow = { start: '22:00', end: '06:00', days: [6] };
  expect(open(night, '2026-11-21T21:59:00Z')).toBe(false);
  expect(open(night, '2026-11-21T22:00:00Z')).toBe(true);
  expect(open(night, '2026-11-22T05:59:59Z')).toBe(true);
  expect(open(night, '2026-11-22T06:00:00Z')).toBe(false);
  expect(open(night, '2026-11-22T22:00:00Z')).toBe(false);
  expect(open(night, '2026-11-21T03:00:00Z')).toBe(false);
});

test('H-198 a time that the clock skips does not happen; the window shuts where the clock jumps', () => {
  // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00Z.
  const inside: TimeWindow = { start: '02:15', end: '02:45', timezone: 'Europe/Berlin' };
  for (let minute = 0; minute < 24 * 60; minute++)
    expect(compileWindow(inside).isOpen(at('2026-03-29T00:00:00Z') + minute * 60_000)).toBe(false);
  expect(open(inside, '2026-03-28T01:20:00Z')).toBe(true);
  const across: TimeWindow = { start: '01:30', end: '02:30', timezone: 'Europe/Berlin' };
  expect(open(across, '2026-03-29T00:59:59Z')).toBe(true);
  expect(open(across, '2026-03-29T01:00:00Z')).toBe(false);
});

test('H-198 a time that a day has twice counts twice', () => {
  // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00Z.
  const window: TimeWindow = { start: '02:15', end: '02:45', timezone: 'Europe/Berlin' };
  for (const [instant, expected] of [
    ['2026-10-25T00:14:00Z', false],
    ['2026-10-25T00:15:00Z', true],
    ['2026-10-25T00:45:00Z', false],
    ['2026-10-25T01:15:00Z', true],
    ['2026-10-25T01:45:00Z', false],
  ] as const)
    expect(open(window, instant)).toBe(expected);
});

test('the next change is found to the minute, also behind a jump of the clock', () => {
  const next = (window: TimeWindow, from: string): string | undefined => {
    const found = compileWindow(window).nextChange(at(from), 9);
    return found === undefined ? undefined : new Date(found).toISOString();
  };
  const monday: TimeWindow = { start: '09:00', end: '17:00', days: [1] };
  expect(next(monday, '2026-11-20T12:34:56Z')).toBe('2026-11-23T09:00:00.000Z');
  expect(next(monday, '2026-11-23T09:00:30Z')).toBe('2026-11-23T17:00:00.000Z');
  const berlin = 'Europe/Berlin';
  expect(next({ start: '01:30', end: '02:30', timezone: berlin }, '2026-03-29T00:45:00Z')).toBe(
    '2026-03-29T01:00:00.000Z',
  );
  expect(next({ start: '03:02', end: '03:05', timezone: berlin }, '2026-03-29T00:50:00Z')).toBe(
    '2026-03-29T01:02:00.000Z',
  );
  expect(next({ start: '02:15', end: '02:45', days: [0], timezone: berlin }, '2026-03-28T12:00:00Z')).toBe(
    '2026-04-05T00:15:00.000Z',
  );
  expect(next({ start: '00:00', end: '23:59', days: [] }, '2026-03-28T12:00:00Z')).toBeUndefined();
});

test('H-198 a zone is a name of the IANA database', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3'])
    expect(isTimeZone(name)).toBe(true);
  for (const name of ['', '+01:00', '-0330', 'Mars/Olympus', 'Europe/Berlin ', '../etc', 'x'.repeat(65)])
    expect(isTimeZone(name)).toBe(false);
  expect(() => compileWindow({ start: '09:00', end: '10:00', timezone: 'Mars/Olympus' })).toThrow(RangeError);
});
