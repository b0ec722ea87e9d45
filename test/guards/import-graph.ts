import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { importsOf, manifests, repositoryFiles, root, type SourceFile } from './source-files.ts';

/** The paths that each file imports, by its path; includes type imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The imports among `files`: relative ones, and those of workspace packages through the `exports` of their
 * package.json. Imports from elsewhere are left out.
 */
export function importGraph(files: readonly SourceFile[]): ImportGraph {
  const paths = new Set(repositoryFiles());
  const exported = new Map([...manifests()].map(([folder, { name }]) => [name, exportsOf(folder)]));
  const targetOf = (file: SourceFile, specifier: string): string | undefined =>
    specifier.startsWith('.')
      ? posix.join(posix.dirname(file.path), specifier)
      : exported.get(specifier.split('/').slice(0, 2).join('/'))?.(specifier.split('/').slice(2).join('/'));
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .map(({ specifier }) => targetOf(file, specifier))
        .filter((target) => target !== undefined)
        .filter((target) => paths.has(target)),
    ]),
  );
}

/** Resolves a sub-path of a package (empty for its root) to a file; `*` in `exports` stands for any text. */
function exportsOf(folder: string): (subPath: string) => string | undefined {
  const { exports = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    exports?: string | Record<string, string>;
  };
  const entries = Object.entries(typeof exports === 'string' ? { '.': exports } : exports);
  return (subPath) => {
    const wanted = subPath === '' ? '.' : `./${subPath}`;
    for (const [name, target] of entries) {
      const [before, after] = name.split('*');
      if (after === undefined ? name !== wanted : !wanted.startsWith(before!) || !wanted.endsWith(after))
        continue;
      const star = after === undefined ? '' : wanted.slice(before!.length, wanted.length - after.length);
      const path = posix.join(folder, target.replaceAll('*', star));
      if (existsSync(join(root, path))) return path;
    }
    return undefined;
  };
}

/** The groups of files that reach each other by imports (strongly connected components, by Tarjan). */
export function circlesOf(graph: ImportGraph): string[][] {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    lowest.set(file, index.get(file)!);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || graph.get(file)?.includes(file)) circles.push(group);
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles;
}
