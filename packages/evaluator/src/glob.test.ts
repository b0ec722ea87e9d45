import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob, type StepCount } from './glob.ts';
import { compilePathGlob } from './path-glob.ts';

/** The definition of a match, without regard to time. */
function slowMatch(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') {
    for (let taken = 0; taken <= text.length; taken++) {
      if (slowMatch(pattern.slice(1), text.slice(taken))) return true;
    }
    return false;
  }
  return (
    text !== '' &&
    (pattern[0] === '?' || pattern[0] === text[0]) &&
    slowMatch(pattern.slice(1), text.slice(1))
  );
}

const letters = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength });

test('the matcher agrees with the slow definition', () => {
  fc.assert(
    fc.property(letters('ab*?\\', 9), letters('ab\\', 10), (pattern, text) => {
      expect(compileGlob(pattern).matches(text)).toBe(slowMatch(pattern, text));
    }),
    { numRuns: 3_000 },
  );
});

test('it agrees where the positions fill several machine words', () => {
  const piece = fc.tuple(letters('ab', 40), fc.constantFrom('', '*', '?'));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 5 }),
      fc.array(letters('ab', 12), { maxLength: 5 }),
      (pieces, fills) => {
        const pattern = pieces.flat().join('');
        // A text that matches, and one that can differ.
        const filled = pieces
          .map(([text, wild], at) => text + (wild === '*' ? (fills[at] ?? '') : wild && 'a'))
          .join('');
        expect(compileGlob(pattern).matches(filled)).toBe(true);
        const other = `${filled}b`;
        expect(compileGlob(pattern).matches(other)).toBe(slowMatch(pattern, other));
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ['*a*a*a*a*a*a*a*ab', 'a'.repeat(4_096)],
  [`${'*a'.repeat(31)}*${'a'.repeat(448)}b`, 'a'.repeat(4_096)],
  [`${'?*'.repeat(16)}x`, 'y'.repeat(4_096)],
])('a path of 4 KB costs at most 17 words a letter: %s', (pattern, text) => {
  for (const ending of ['', pattern.slice(-1), `c${pattern.slice(-1)}`]) {
    const count: StepCount = { steps: 0 };
    compileGlob(pattern).matches(text + ending, count);
    expect(count.steps).toBeLessThanOrEqual((text.length + ending.length) * 17);
  }
});

test('whatever is neither * nor ? is itself', () => {
  for (const literal of ['+(a|aa)', '[ab]', '{a,b}', '!(a)', '@(a)', 'a+', '^a$', '.', '(a)', 'a{1}']) {
    expect(compileGlob(literal).matches(literal)).toBe(true);
    for (const other of ['a', 'aa', 'b', '']) expect(compileGlob(literal).matches(other)).toBe(false);
  }
});

test('a pattern of paths is folded and its separators are made one', () => {
  expect(compilePathGlob('c:/program files/*').matches('C:\\PROGRAM FILES\\A\\B.EXE')).toBe(true);
  expect(compilePathGlob('c:\\\\tools\\\\*.exe').matches('C:\\TOOLS\\X.EXE')).toBe(true);
  expect(compilePathGlob('//server/share/*').matches('\\\\SERVER\\SHARE\\X')).toBe(true);
});
