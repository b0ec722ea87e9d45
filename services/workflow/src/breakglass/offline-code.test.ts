import { expect, test } from 'vitest';
import { isOfflineCode, newOfflineCode, normalisedCode, offlineCodeHash } from './offline-code.ts';

test('an offline code has 128 bits in groups, and no two are equal', () => {
  const codes = Array.from({ length: 100 }, newOfflineCode);
  for (const code of codes) expect(code).toMatch(/^(?:[A-Z2-7]{5}-){5}[AEIMQUY4]$/);
  expect(new Set(codes).size).toBe(100);
});

test('a code is accepted in any spelling, and belongs to one tenant', () => {
  const code = 'ABCOI-BBBBB-CCCCC-DDDDD-EEEEE-A';
  const spellings = [
    ' abc01 8bbbb-ccccc ddddd eeeee-a ',
    'ABCOI\u2011BBBBB\u2013CCCCC\u00a0DDDDD\u200bEEEEE\u2212A\r\n',
    'ＡＢＣ０１-bbbbbcccccdddddeeeeea',
  ];
  for (const each of spellings) {
    expect(normalisedCode(each), each).toBe(normalisedCode(code));
    expect(isOfflineCode(each), each).toBe(true);
  }
  expect(offlineCodeHash('t1', code.toLowerCase())).toEqual(offlineCodeHash('t1', code));
  expect(offlineCodeHash('t2', code)).not.toEqual(offlineCodeHash('t1', code));
});
