import { expect, test } from 'vitest';
import { minutesText, parseMinutes, parseSeconds } from './duration.ts';

test('durations are read as people write them', () => {
  expect(parseMinutes('30m', '--for')).toBe(30);
  expect(parseMinutes('2h', '--for')).toBe(120);
  expect(parseMinutes('1h30m', '--for')).toBe(90);
  expect(parseMinutes('1d', '--for')).toBe(1440);
  expect(parseSeconds('90s', '--timeout')).toBe(90);
});

test.each(['', '30', 'm', '0m', '-5m', '1.5h', '30m1h', '30 m', '1e9h', 'forever'])(
  '"%s" is a usage error that names the option',
  (text) => {
    expect(() => parseMinutes(text, '--for')).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('--for') }),
    );
  },
);

test('access is given in whole minutes', () => {
  expect(() => parseMinutes('90s', '--for')).toThrow('whole minutes');
});

test('what is printed can be typed again', () => {
  for (const minutes of [1, 45, 60, 90, 1440, 1505, 43_200])
    expect(parseMinutes(minutesText(minutes), '--for')).toBe(minutes);
});
