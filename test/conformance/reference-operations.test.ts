import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { methods } from '@claviger/contracts';
import { expect, test } from 'vitest';

/** id, method and path of the reference operations of this release. */
const reference = readFileSync(join(import.meta.dirname, 'reference-operations.tsv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [string, string, string]);

/** Parameter names differ between documents; only their position is compared. */
const anonymous = (path: string): string => path.replace(/\{\w+\}/g, '{}');

const served = new Map(
  [...methods.values()].flatMap((method) =>
    method.policy!.operations.map(
      (id) => [id, method.http.map((binding) => `${binding.method} ${anonymous(binding.path)}`)] as const,
    ),
  ),
);

test.each(reference)('%s is served as %s %s', (id, method, path) => {
  expect(served.get(id)).toContain(`${method} ${anonymous(path)}`);
});
