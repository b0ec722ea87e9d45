import { expect, test } from 'vitest';
import { minutesText, parseSeconds } from './duration.ts';

test('durations are read as people write them', () => {
  expect(parseSeconds('30m', '--for')).toBe(1_800);
  expect(parseSeconds('2h', '--for')).toBe(7_200);
  expect(parseSeconds('1h30m', '--for')).toBe(5_400);
  expect(parseSeconds('1d', '--for')).toBe(86_400);
  expect(parseSeconds('90s', '--timeout')).toBe(90);
});

test.each(['', '30', 'm', '0m', '-5m', '1.5h', '30m1h', '30 m', '1e9h', 'forever'])(
  '"%s" is a usage error that names the option',
  (text) => {
    expect(() => parseSeconds(text, '--for')).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('--for') }),
    );
  },
);

test('a printed duration can be parsed again', () => {
  for (const minutes of [1, 45, 60, 90, 1440, 1505, 43_200])
    expect(parseSeconds(minutesText(minutes), '--for')).toBe(minutes * 60);
});
