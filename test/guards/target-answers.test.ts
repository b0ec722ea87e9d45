import { join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, sourceFiles } from './source-files.ts';

const files = new Map(sourceFiles().map((file) => [file.path, file]));

/** All files and packages that a file loads by static imports; packages by name. */
function loadedWith(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const file = files.get(path);
  if (!file) return seen;
  for (const { specifier } of importsOf(file)) {
    if (specifier.startsWith('.')) loadedWith(normalize(join(path, '..', specifier)), seen);
    else seen.add(specifier);
  }
  return seen;
}

test('a service loads no connector code that reads answers of targets', () => {
  const loaded = loadedWith('packages/connectors/src/index.ts');
  expect(loaded).toContain('packages/connectors/src/pool/connector-pool.ts');
  const speaking = [...loaded].filter(
    (name) =>
      ['pg', 'mysql2', 'ssh2', 'node:net', 'node:tls'].includes(name) ||
      /packages\/connectors\/src\/(?:registry|pool\/worker|.*\/(?:session|connector|send|run-command))\.ts$/.test(
        name,
      ),
  );
  expect(speaking).toEqual([]);
});

test('a service loads no driver of a target', () => {
  const wrong = [...files.values()].flatMap((file) =>
    file.path.startsWith('services/') && !file.forTests
      ? importsOf(file)
          .filter(({ specifier }) => /^(?:ssh2|mysql2|ldapts)(?:\/|$)/.test(specifier))
          .map(({ specifier, line }) => `${file.path}:${line} imports ${specifier}`)
      : [],
  );
  expect(wrong).toEqual([]);
});
