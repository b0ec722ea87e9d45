import { expect, test } from 'vitest';
import { timeRange } from './time-range.ts';

test('a bare end date includes its whole day, a time its millisecond', () => {
  expect(timeRange({ from: '2026-01-31', to: '2026-01-31' })).toEqual({
    from: new Date('2026-01-31T00:00:00Z'),
    before: new Date('2026-02-01T00:00:00Z'),
  });
  const time = '2026-01-31T12:00:00+02:00';
  expect(timeRange({ from: time, to: time }).before).toEqual(new Date('2026-01-31T10:00:00.001Z'));
  expect(timeRange({ from: '', to: '' })).toEqual({ from: undefined, before: undefined });
});

test.each([
  { from: '2026-02-30', to: '' },
  { from: '', to: '2026-02-30T00:00:00Z' },
  { from: '2026-01-02', to: '2026-01-01' },
  { from: '2026-01-01T00:00:01Z', to: '2026-01-01T00:00:00Z' },
  { from: '0000-01-01', to: '' },
])('a day that does not exist and a range that ends before it begins are refused: %j', (request) => {
  expect(() => timeRange(request)).toThrow(expect.objectContaining({ reason: 'invalid' }));
});
