import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  DEFAULT_SYMBOLS,
  generatePassword,
  type PasswordPolicy,
  PasswordPolicyError,
} from './generate-password.ts';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const all = { minLength: 20, maxLength: 20, lower: 0, upper: 0, digits: 0, symbols: 0 };

/** Chi-square of the counts against equal shares, as a standard normal deviate (Wilson-Hilferty). */
function deviationFromUniform(counts: readonly number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  const k = counts.length - 1;
  return (Math.cbrt(chiSquare / k) - (1 - 2 / (9 * k))) / Math.sqrt(2 / (9 * k));
}

/** Reached by chance once in a hundred million runs; a modulo bias over 100,000 characters is far beyond. */
const LIMIT = 5.6;

function countsOf(text: string, alphabet: string): number[] {
  const counts = new Map([...alphabet].map((character) => [character, 0]));
  for (const character of text) if (counts.has(character)) counts.set(character, counts.get(character)! + 1);
  return [...counts.values()];
}

function samples(policy: PasswordPolicy, characters = 100_000): string[] {
  return Array.from({ length: characters / policy.maxLength }, () => generatePassword(policy));
}

describe('H-138 all characters are equally likely', () => {
  test('over 100,000 characters without requirements', () => {
    const alphabet = LOWER + LOWER.toUpperCase() + DIGITS + DEFAULT_SYMBOLS;
    const guessable = vi.spyOn(Math, 'random');
    const counts = countsOf(samples(all).join(''), alphabet);
    expect(guessable).not.toHaveBeenCalled();
    guessable.mockRestore();
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(100_000);
    expect(deviationFromUniform(counts)).toBeLessThan(LIMIT);
  });

  test('within each class when classes are required, also with a letter at the front', () => {
    for (const startWithLetter of [false, true]) {
      const text = samples({ ...all, lower: 2, upper: 1, digits: 3, symbols: 2, startWithLetter }).join('');
      for (const alphabet of [LOWER, LOWER.toUpperCase(), DIGITS, DEFAULT_SYMBOLS])
        expect(deviationFromUniform(countsOf(text, alphabet))).toBeLessThan(LIMIT);
    }
  });

  test('at any position, so that required characters have no typical place', () => {
    const policy = { minLength: 10, maxLength: 10, lower: 0, digits: 1 };
    const digitsAt = Array.from({ length: 10 }, () => 0);
    for (const password of samples(policy))
      for (let at = 0; at < 10; at++) if (DIGITS.includes(password[at]!)) digitsAt[at]! += 1;
    expect(deviationFromUniform(digitsAt)).toBeLessThan(LIMIT);
    const afterLetter = Array.from({ length: 9 }, () => 0);
    for (const password of samples({ ...policy, startWithLetter: true }))
      for (let at = 1; at < 10; at++) if (DIGITS.includes(password[at]!)) afterLetter[at - 1]! += 1;
    expect(deviationFromUniform(afterLetter)).toBeLessThan(LIMIT);
  });

  test('and so are all lengths between the bounds', () => {
    const counts = Array.from({ length: 5 }, () => 0);
    for (let i = 0; i < 20_000; i++)
      counts[generatePassword({ ...all, minLength: 8, maxLength: 12 }).length - 8]! += 1;
    expect(deviationFromUniform(counts)).toBeLessThan(LIMIT);
  });

  test('and the measure detects a modulo bias', () => {
    const biased = countsOf(Array.from({ length: 100_000 }, (_, i) => LOWER[(i % 256) % 26]).join(''), LOWER);
    expect(deviationFromUniform(biased)).toBeGreaterThan(LIMIT);
  });
});

test('H-138 every satisfiable policy is satisfied', () => {
  const count = fc.option(fc.nat({ max: 6 }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.record({
        minLength: fc.integer({ min: 1, max: 30 }),
        extra: fc.nat({ max: 10 }),
        lower: count,
        upper: count,
        digits: count,
        symbols: count,
        excludeAmbiguous: fc.boolean(),
        startWithLetter: fc.boolean(),
      }),
      ({ minLength, extra, lower, upper, digits, symbols, excludeAmbiguous, startWithLetter }) => {
        const required = (lower ?? 0) + (upper ?? 0) + (digits ?? 0) + (symbols ?? 0);
        const maxLength = minLength + extra;
        const letters = lower !== undefined || upper !== undefined;
        fc.pre(letters || (!startWithLetter && (digits !== undefined || symbols !== undefined)));
        fc.pre(required + (startWithLetter && !lower && !upper ? 1 : 0) <= maxLength);
        const password = generatePassword({
          minLength,
          maxLength,
          ...(lower === undefined ? {} : { lower }),
          ...(upper === undefined ? {} : { upper }),
          ...(digits === undefined ? {} : { digits }),
          ...(symbols === undefined ? {} : { symbols }),
          excludeAmbiguous,
          startWithLetter,
        });
        expect(password.length).toBeGreaterThanOrEqual(minLength);
        expect(password.length).toBeLessThanOrEqual(maxLength);
        for (const [pattern, wanted] of [
          [/[a-z]/g, lower],
          [/[A-Z]/g, upper],
          [/[0-9]/g, digits],
          [/[^a-zA-Z0-9]/g, symbols],
        ] as const) {
          const found = password.match(pattern)?.length ?? 0;
          if (wanted === undefined) expect(found).toBe(0);
          else expect(found).toBeGreaterThanOrEqual(wanted);
        }
        if (excludeAmbiguous) expect(password).not.toMatch(/[Il1|Oo0]/);
        if (startWithLetter) expect(password).toMatch(/^[a-zA-Z]/);
      },
    ),
    { numRuns: 1000 },
  );
});

test('only the allowed symbols are used', () => {
  for (let i = 0; i < 200; i++)
    expect(generatePassword({ ...all, symbols: 4, allowedSymbols: '-_.' })).toMatch(/^[A-Za-z0-9._-]{20}$/);
  expect(generatePassword({ ...all, allowedSymbols: '' })).toMatch(/^[A-Za-z0-9]{20}$/);
});

test.each<[string, PasswordPolicy]>([
  ['no class', { minLength: 8, maxLength: 8 }],
  ['more required than fits', { ...all, lower: 11, digits: 10 }],
  [
    'a first letter that exceeds the length',
    { minLength: 2, maxLength: 2, lower: 0, digits: 2, startWithLetter: true },
  ],
  ['a first letter but no letters', { minLength: 8, maxLength: 8, digits: 0, startWithLetter: true }],
  ['a minimum above the maximum', { ...all, minLength: 21 }],
  ['no length', { ...all, minLength: 0 }],
  ['an excessive length', { ...all, maxLength: 1e9 }],
  ['a fractional number', { ...all, lower: 0.5 }],
  ['a negative number', { ...all, digits: -1 }],
  ['a symbol twice, which would make it likelier', { ...all, allowedSymbols: '--_' }],
  ['a letter among the symbols', { ...all, allowedSymbols: '-a' }],
  ['a blank among the symbols', { ...all, allowedSymbols: '- ' }],
  ['a symbol beyond ASCII', { ...all, allowedSymbols: '€' }],
  ['symbols required but none allowed', { ...all, symbols: 1, allowedSymbols: '' }],
  [
    'symbols required but only ambiguous ones',
    { ...all, symbols: 1, allowedSymbols: '|', excludeAmbiguous: true },
  ],
])('a policy with %s is refused', (_name, policy) => {
  expect(() => generatePassword(policy)).toThrow(PasswordPolicyError);
});
