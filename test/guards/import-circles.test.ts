import { expect, test } from 'vitest';
import { circlesOf, importGraph } from './import-graph.ts';
import { sourceFiles } from './source-files.ts';

const graph = importGraph(sourceFiles());

test('relative imports and imports of packages are followed', () => {
  expect(graph.get('services/auth/src/main.ts')).toEqual(
    expect.arrayContaining(['services/auth/src/service.ts', 'packages/service-kit/src/index.ts']),
  );
});

test('a circle is found, and a file that imports itself', () => {
  const circles = circlesOf(
    new Map([
      ['a', ['b', 'd']],
      ['b', ['c']],
      ['c', ['b', 'd']],
      ['d', []],
      ['e', ['e']],
    ]),
  );
  expect(circles).toEqual([['b', 'c'], ['e']]);
});

test('no files import each other in a circle, not even types', () => {
  const circles = circlesOf(graph).map((files) => files.join(' → '));
  expect(
    circles,
    'Move what both files need into a file that imports neither, and import it from there.',
  ).toEqual([]);
});
