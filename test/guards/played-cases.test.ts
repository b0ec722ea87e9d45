import { expect, test } from 'vitest';
import { listedCases, missingCases, playedCases, withList } from './played-cases.ts';

const FIX =
  'Run `node test/guards/played-cases.ts --write`, which brings the list of test/README.md up to date.';
const played = playedCases();

test('every case that test/README.md lists is still played by a test', () => {
  const missing = missingCases(listedCases(), played);
  expect(missing, 'Bring the test of this case back, or remove its row by hand and say why.').toEqual([]);
});

test('test/README.md names the test files that play each case', () => {
  expect(Object.fromEntries(listedCases()), FIX).toEqual(Object.fromEntries(played));
});

test('a case that loses its test keeps its row and is reported', () => {
  const [first] = played.keys();
  const others = new Map([...played].filter(([name]) => name !== first));
  const marks =
    '<!-- played cases: written by `node test/guards/played-cases.ts --write` -->\n<!-- end of the played cases -->';
  const text = withList(withList(marks, played), others);
  expect(missingCases(listedCases(text), others)).toEqual([first]);
});
