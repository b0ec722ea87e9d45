import { expect, test } from 'vitest';
import { newSealedCode, normalisedCode, sealedCodeHash } from './sealed-code.ts';

test('a sealed code has 128 bits in groups, and no two are alike', () => {
  const codes = Array.from({ length: 100 }, newSealedCode);
  for (const code of codes) expect(code).toMatch(/^(?:[A-Z2-7]{5}-){5}[AEIMQUY4]$/);
  expect(new Set(codes).size).toBe(100);
});

test('a code read from paper is taken in any spelling, and belongs to one tenant', () => {
  const code = 'ABCOI-BBBBB-CCCCC-DDDDD-EEEEE-A';
  expect(normalisedCode(' abc01 8bbbb-ccccc ddddd eeeee-a ')).toBe(normalisedCode(code));
  expect(sealedCodeHash('t1', code.toLowerCase())).toEqual(sealedCodeHash('t1', code));
  expect(sealedCodeHash('t2', code)).not.toEqual(sealedCodeHash('t1', code));
});
