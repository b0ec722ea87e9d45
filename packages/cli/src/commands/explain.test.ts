import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REASONS } from '@claviger/errors';
import { repositoryRoot } from '@claviger/installation/host-settings';
import { expect, test } from 'vitest';
import { explanations } from './explain.ts';

test('every code that a service gives its problems is explained', () => {
  const files = globSync(
    ['services/*/src/**/*.ts', 'packages/service-kit/src/**/*.ts', 'packages/database/src/**/*.ts'],
    {
      cwd: repositoryRoot,
    },
  ).filter((file) => !file.endsWith('.test.ts'));
  const unexplained = files.flatMap((file) => {
    const source = readFileSync(join(repositoryRoot, file), 'utf8');
    // Codes stand in the options of an error: whatever else is called a code is not lower case with a hint
    // nearby.
    return [...source.matchAll(/new ClavigerError\((?:[^;]*?)\bcode: '([a-z_]+)'/g)]
      .map((match) => match[1]!)
      .filter((code) => !explanations.has(code))
      .map((code) => `${file}: ${code}`);
  });
  expect(unexplained).toEqual([]);
});

test('every reason is explained', () => {
  for (const reason of Object.keys(REASONS)) expect(explanations.get(reason)?.next).toMatch(/\.$/);
});
