import { execFile } from 'node:child_process';
import { dirname, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How many test files `check` runs at most. */
export const MOST_FILES = 20;

export interface ChangedTests {
  /** Paths from the repository's root, those nearest to the change first; `MOST_FILES` at most. */
  readonly files: readonly string[];
  /** How many more test files import something that changed. */
  readonly leftOut: number;
}

/** The commit where this branch left main; `undefined` on main itself, and where there is no main. */
export async function mergeBase(root: string): Promise<string | undefined> {
  const git = (...args: string[]) =>
    run('git', args, { cwd: root }).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
  const head = await git('rev-parse', 'HEAD');
  for (const main of ['origin/main', 'main']) {
    const base = await git('merge-base', 'HEAD', main);
    if (base !== undefined && base !== head) return base;
  }
  return undefined;
}

/**
 * The unit test files that import, directly or not, what changed since `base`, with the uncommitted files. A
 * change of a package that all others use would select all tests: the nearest are taken.
 */
export async function changedTests(root: string, base: string | undefined): Promise<ChangedTests> {
  const since = base === undefined ? ['--changed'] : [`--changed=${base}`];
  const [{ stdout: listed }, changed] = await Promise.all([
    run('node_modules/.bin/vitest', ['list', '--project', 'unit*', '--filesOnly', '--json', ...since], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    }),
    changedFiles(root, base),
  ]);
  const found = (JSON.parse(listed) as { file: string }[]).map(({ file }) => relative(root, file));
  const files = nearestFirst(found, changed);
  return { files: files.slice(0, MOST_FILES), leftOut: Math.max(0, files.length - MOST_FILES) };
}

/** Committed since `base`, changed in the working tree, and not yet known to git. */
async function changedFiles(root: string, base: string | undefined): Promise<string[]> {
  const [differing, untracked] = await Promise.all([
    run('git', ['diff', '--name-only', '--relative', base ?? 'HEAD'], { cwd: root }),
    run('git', ['ls-files', '--others', '--exclude-standard'], { cwd: root }),
  ]);
  return `${differing.stdout}${untracked.stdout}`.split('\n').filter((line) => line !== '');
}

/** The changed file itself, then tests in a folder of a changed file, in its package, and elsewhere. */
export function nearestFirst(tests: readonly string[], changed: readonly string[]): string[] {
  const files = new Set(changed);
  const folders = new Set(changed.map((file) => dirname(file)));
  const packages = new Set(changed.map(packageOf));
  const distance = (test: string): number =>
    files.has(test) ? 0 : folders.has(dirname(test)) ? 1 : packages.has(packageOf(test)) ? 2 : 3;
  return tests.toSorted((a, b) => distance(a) - distance(b) || (a < b ? -1 : 1));
}

/** E.g. `services/auth`. */
const packageOf = (file: string): string => file.split('/').slice(0, 2).join('/');
