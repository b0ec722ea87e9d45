import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '@claviger/installation/host-settings';
import { expect, test } from 'vitest';
import { changedTests, MOST_FILES, mergeBase, nearestFirst } from './changed-tests.ts';

test('the tests nearest to a change come first', () => {
  const tests = [
    'services/auth/src/users/users.test.ts',
    'packages/errors/src/errors.test.ts',
    'packages/csv/src/csv-row.test.ts',
    'packages/csv/src/deep/other.test.ts',
    'packages/csv/src/changed.test.ts',
  ];
  expect(nearestFirst(tests, ['packages/csv/src/csv-row.ts', 'packages/csv/src/changed.test.ts'])).toEqual([
    'packages/csv/src/changed.test.ts',
    'packages/csv/src/csv-row.test.ts',
    'packages/csv/src/deep/other.test.ts',
    'packages/errors/src/errors.test.ts',
    'services/auth/src/users/users.test.ts',
  ]);
});

test('tests of committed, changed and new files are found, as many as are run at most', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-changed-'));
  const git = (...args: string[]) =>
    promisify(execFile)('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: folder });
  const write = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
  };
  const testOf = (source: string) =>
    `import { test } from 'vitest'; import ${JSON.stringify(source)}; test('t', () => {});`;
  try {
    await symlink(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
    await write({
      '.gitignore': 'node_modules\n',
      'vitest.config.ts': `export default { test: { projects: [{ test: { name: 'unit', include: ['**/*.test.ts'] } }] } };`,
      'p/a/one.ts': 'export {};',
      'p/a/one.test.ts': testOf('./one.ts'),
      'p/b/two.ts': `import '../a/one.ts';`,
      'p/b/two.test.ts': testOf('./two.ts'),
      'p/c/three.test.ts': testOf('node:fs'),
    });
    await git('init', '-b', 'main');
    await git('add', '-A');
    await git('commit', '-m', 'first');
    expect(await mergeBase(folder)).toBeUndefined();
    await git('checkout', '-b', 'change');
    await write({ 'p/a/one.ts': 'export const one = 1;' });
    await git('commit', '-am', 'change');
    const base = await mergeBase(folder);
    expect(base).toMatch(/^[0-9a-f]{40}$/);
    expect(await changedTests(folder, base)).toEqual({
      files: ['p/a/one.test.ts', 'p/b/two.test.ts'],
      leftOut: 0,
    });
    const many = Array.from({ length: MOST_FILES }, (_, i) => [`p/new/${i}.test.ts`, testOf('node:fs')]);
    await write(Object.fromEntries(many));
    const found = await changedTests(folder, base);
    expect(found.files).toHaveLength(MOST_FILES);
    expect(found.files[0]).toMatch(/^p\/new\//);
    expect(found.leftOut).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
