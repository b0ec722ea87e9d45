import { expect, test } from 'vitest';
import { base32, matchingStep, stepAt, totpCode } from './totp.ts';

const SECRET = Buffer.from('12345678901234567890');

// RFC 6238, appendix B, cut to six digits.
test.each([
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
])('at %i seconds the code is that of RFC 6238', (seconds, code) => {
  expect(totpCode(SECRET, stepAt(seconds))).toBe(code);
});

test('only the current, previous and next steps are accepted', () => {
  const now = 1_111_111_111;
  const matches = [-2, -1, 0, 1, 2].map((offset) =>
    matchingStep(SECRET, totpCode(SECRET, stepAt(now) + offset), now),
  );
  expect(matches).toEqual([undefined, stepAt(now) - 1, stepAt(now), stepAt(now) + 1, undefined]);
});

// RFC 4648, section 10.
test.each([
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['foobar', 'MZXW6YTBOI'],
])('base32 of %s is that of RFC 4648', (text, encoded) => {
  expect(base32(Buffer.from(text))).toBe(encoded);
});
