import { expect, test } from 'vitest';
import { isSealedCode, newSealedCode, normalisedCode, sealedCodeHash } from './sealed-code.ts';

test('an offline code has 128 bits in groups, and no two are equal', () => {
  const codes = Array.from({ length: 100 }, newSealedCode);
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
    expect(isSealedCode(each), each).toBe(true);
  }
  expect(sealedCodeHash('t1', code.toLowerCase())).toEqual(sealedCodeHash('t1', code));
  expect(sealedCodeHash('t2', code)).not.toEqual(sealedCodeHash('t1', code));
});
