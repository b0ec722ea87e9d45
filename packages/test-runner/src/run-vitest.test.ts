import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '@claviger/installation/host-settings';
import { expect, test } from 'vitest';
import type { VitestResult } from './run-vitest.ts';

const passing = `import { test } from 'vitest'; test('passes', () => {});`;
const failing = `import { test } from 'vitest'; test('fails', () => { throw new Error('always'); });`;
/** Fails the first time, and passes once its mark is there. */
const flaky = (folder: string, name: string) => `
  import { existsSync, writeFileSync } from 'node:fs';
  import { test } from 'vitest';
  test('sometimes', () => {
    const mark = ${JSON.stringify(join(folder, `${name}.mark`))};
    if (existsSync(mark)) return;
    writeFileSync(mark, '');
    throw new Error('the first time');
  });`;

/** Runs a project of these files in a folder of its own, as `claviger test` does. */
async function runProject(
  files: (folder: string) => Record<string, string>,
): Promise<VitestResult & { readonly output: string; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-project-'));
  try {
    await symlink(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(files(folder))) await writeFile(join(folder, name), text);
    const script = `
      const { runVitest } = await import(${JSON.stringify(join(import.meta.dirname, 'run-vitest.ts'))});
      console.log('RESULT ' + JSON.stringify(await runVitest(process.argv[1], [])));`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script, folder], {
      env: { PATH: process.env.PATH },
    });
    const result = JSON.parse(/^RESULT (.*)$/m.exec(stdout)![1]!) as VitestResult;
    return { ...result, output: `${stdout}${stderr}`, folder };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.concurrent('a file that passes alone is named as flaky, and the run passes', async () => {
  const run = await runProject((folder) => ({
    'a.test.ts': passing,
    'b.test.ts': flaky(folder, 'b'),
    'c.test.ts': flaky(folder, 'c'),
  }));
  expect(run).toMatchObject({ passed: true });
  expect(run.flaky.toSorted()).toEqual([join(run.folder, 'b.test.ts'), join(run.folder, 'c.test.ts')]);
});

test.concurrent('a file that fails alone too fails the run', async () => {
  const run = await runProject((folder) => ({ 'a.test.ts': failing, 'b.test.ts': flaky(folder, 'b') }));
  expect(run).toMatchObject({ passed: false, flaky: [join(run.folder, 'b.test.ts')] });
  expect(run.output.match(/^== once more, alone: /gm)).toHaveLength(2);
});

test.concurrent('with three failed files the run fails, and nothing is run once more', async () => {
  const run = await runProject((folder) =>
    Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}.test.ts`, flaky(folder, name)])),
  );
  expect(run).toMatchObject({ passed: false, flaky: [] });
  expect(run.output).not.toContain('once more');
});

test.concurrent('an error that belongs to no test fails the run', async () => {
  const run = await runProject(() => ({
    'a.test.ts': `import { test } from 'vitest';
      test('leaves something behind', () => void setTimeout(() => { throw new Error('late'); }));
      test('is there when it throws', () => new Promise((resolve) => setTimeout(resolve, 50)));`,
  }));
  expect(run).toMatchObject({ passed: false, flaky: [] });
});
