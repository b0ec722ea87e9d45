import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Versioned files and new files that are not ignored, relative to the root. */
export function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
}

export interface SourceFile {
  /** Relative to the root, e.g. `packages/errors/src/reasons.ts`. */
  readonly path: string;
  /** Its workspace package, e.g. `packages/errors` or `test`. */
  readonly owner: string;
  /** A test or test support: may import devDependencies and other installations. */
  readonly forTests: boolean;
  readonly text: string;
  /** Source without types, with the same line numbers. */
  readonly code: string;
}

/** Programs in packages outside the workspace, which are built where they are used. */
const ELSEWHERE = /\/generated\/|^test\/extended\/clients\//;

/** Every hand-written TypeScript file of the workspace. */
export function sourceFiles(): SourceFile[] {
  return repositoryFiles()
    .filter((path) => /^(packages|services|test)\/.*\.ts$/.test(path) && !ELSEWHERE.test(path))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const owner = path.startsWith('test/') ? 'test' : path.split('/').slice(0, 2).join('/');
      const inSource = path.startsWith(`${owner}/src/`) || /^packages\/[^/]+\/generate(\/|\.ts$)/.test(path);
      const forTests =
        owner === 'test' ||
        !inSource ||
        /(\.test|\/test-[a-z-]+|\/tests?\/.*|-bench)\.ts$/.test(path) ||
        path.includes('/test-support/');
      return { path, owner, forTests, text, code: withoutComments(stripTypeScriptTypes(text)) };
    });
}

/** Replaces comments by blanks. Sufficient for this source: strings with comment marks keep their quotes. */
function withoutComments(code: string): string {
  const parts = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return code.replaceAll(parts, (part) => (part.startsWith('/') ? part.replaceAll(/[^\n]/g, ' ') : part));
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** A type-only import, which loads nothing. */
  readonly type: boolean;
}

/** Static, type-only and dynamic imports, and re-exports. */
export function importsOf(file: SourceFile): Import[] {
  const text = withoutComments(file.text);
  const forms =
    /(?:^|[;\s])(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\s+from\s+)?(['"])([^'"\n]+)\2|import\((['"])([^'"\n]+)\4\)/g;
  return [...text.matchAll(forms)].map((match) => ({
    specifier: (match[3] ?? match[5])!,
    line: text.slice(0, match.index).split('\n').length + (match[0].startsWith('\n') ? 1 : 0),
    type: match[1] !== undefined,
  }));
}

export interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** Sub-paths that others may import, e.g. `.` and `./google/*`. */
  readonly exported: readonly string[];
}

/** package.json of each workspace package, by its folder. */
export function manifests(): Map<string, Manifest> {
  const found = repositoryFiles().filter((path) =>
    /^((packages|services)\/[^/]+|test)\/package\.json$/.test(path),
  );
  return new Map(
    found.map((path) => {
      const read = JSON.parse(readFileSync(join(root, path), 'utf8')) as Partial<Manifest> & {
        name: string;
        exports?: string | Record<string, string>;
      };
      const exported = typeof read.exports === 'object' ? Object.keys(read.exports) : ['.'];
      return [dirname(path), { dependencies: {}, devDependencies: {}, ...read, exported }];
    }),
  );
}

/** The places where `code` matches, as `path:line`. */
export function matches(file: SourceFile, pattern: RegExp): string[] {
  return [...file.code.matchAll(pattern)].map(
    (match) => `${file.path}:${file.code.slice(0, match.index).split('\n').length}`,
  );
}
