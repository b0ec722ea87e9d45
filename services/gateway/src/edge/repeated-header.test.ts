import { expect, test } from 'vitest';
import { repeatedHeader } from './repeated-header.ts';

const twice = (name: string, other = name) => ['Host', 'x', name, 'a', 'Accept', 'b', other, 'a'];

test.each([
  'Authorization',
  'Host',
  'Content-Type',
  'Content-Length',
  'Transfer-Encoding',
  'Idempotency-Key',
  'If-Match',
  'If-Modified-Since',
  'Range',
  'traceparent',
  'X-Request-Id',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Anything',
])('%s has one value, in any spelling', (name) => {
  for (const fromProxy of [true, false]) {
    expect(repeatedHeader(twice(name), fromProxy)).toBe(name.toLowerCase());
    expect(repeatedHeader(twice(name.toUpperCase(), name.toLowerCase()), fromProxy)).toBe(name.toLowerCase());
  }
});

test('headers with lists may have several lines; a trusted proxy may add a line to X-Forwarded-For', () => {
  for (const name of ['Accept-Encoding', 'Via', 'If-None-Match', 'tracestate', 'Cookie'])
    expect(repeatedHeader(twice(name), false)).toBeUndefined();
  expect(repeatedHeader(twice('X-Forwarded-For'), true)).toBeUndefined();
  expect(repeatedHeader(twice('X-Forwarded-For'), false)).toBe('x-forwarded-for');
});
