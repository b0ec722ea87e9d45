import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { LONGEST } from './longest-first.ts';

test('the files that start first exist', () => {
  const root = resolve(import.meta.dirname, '../..');
  expect(LONGEST.filter((file) => !existsSync(resolve(root, file)))).toEqual([]);
});
