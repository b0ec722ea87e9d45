import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ALERTS, anomalyAction } from '../../packages/service-kit/src/anomaly.ts';
import { manifests, repositoryFiles, root, sourceFiles } from './source-files.ts';

const files = repositoryFiles();
const documents = files.filter((path) => path.endsWith('.md'));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('every package and service has a README that describes it', () => {
  const missing = [...manifests().keys()].filter(
    (folder) =>
      !existsSync(join(root, folder, 'README.md')) || read(`${folder}/README.md`).trim().length < 60,
  );
  expect(missing, 'Write a few lines: what it owns, what it is not.').toEqual([]);
});

test('every link in a document is valid', () => {
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !/^(https?:|mailto:|#)/.test(target))
      .filter((target) => {
        const [file, anchor] = target.split('#') as [string, string | undefined];
        const full = join(root, dirname(path), file);
        if (!existsSync(full)) return true;
        return (
          anchor !== undefined &&
          full.endsWith('.md') &&
          !anchors(readFileSync(full, 'utf8')).includes(anchor)
        );
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('files that documents name in code marks exist', () => {
  const missing = documents
    // The example on that page creates new files.
    .filter((path) => path !== 'docs/add-an-operation.md')
    .flatMap((path) =>
      [...read(path).matchAll(/`((?:packages|services|proto|test|docs|deploy)\/[\w./-]*\w)`/g)]
        .map((match) => match[1]!)
        .filter((named) => !existsSync(join(root, named)) && !existsSync(join(root, dirname(path), named)))
        .map((named) => `${path}: ${named}`),
    );
  expect(missing).toEqual([]);
});

/** Names of other programs that occur in no source file. */
const FOREIGN_NAMES = ['olcPPolicyHashCleartext'];

test('names of code that documents put in code marks exist', () => {
  const source = files.filter((path) => /\.(ts|proto|sql|yaml|json|sh)$/.test(path) || path === 'claviger');
  const words = new Set(source.flatMap((path) => read(path).match(/[A-Za-z_$][\w$]*/g) ?? []));
  const unknown = documents
    // The example on that page creates new names.
    .filter((path) => path !== 'docs/add-an-operation.md')
    .flatMap((path) =>
      [
        ...read(path)
          .replaceAll(/```.*?```/gs, '')
          .matchAll(/`([A-Za-z]\w*[a-z]\w*[A-Z]\w*)(?:\(\))?`/g),
      ]
        .map((match) => match[1]!)
        .filter((name) => !words.has(name) && !FOREIGN_NAMES.includes(name))
        .map((name) => `${path}: ${name}`),
    );
  expect(unknown, 'Correct the name, or add it to FOREIGN_NAMES when it belongs to another program.').toEqual(
    [],
  );
});

test('lines of comments have at most 110 columns', () => {
  const wide = sourceFiles().flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        /^\s*(?:\/\/|\/?\*)/.test(line) && line.length > 110 && !line.includes('://')
          ? [`${path}:${index + 1}`]
          : [],
      ),
  );
  expect(wide, 'Break the comment: the formatter does not.').toEqual([]);
});

/** Words that are not used in the sense of the glossary. */
const DENIED = /\b(?:farewell|goodbye|nobody waits|twin|bite|lets? go of|stays? dead)\b/i;

test('documents and comments keep to the words of the glossary', () => {
  const prose = documents
    .filter((path) => path !== 'docs/glossary.md')
    .map((path) => [path, read(path)] as const);
  const comments = sourceFiles()
    .filter(({ path }) => !path.startsWith('test/guards/'))
    .map(
      ({ path, text }) =>
        [path, (text.match(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm) ?? []).join('\n')] as const,
    );
  const found = [...prose, ...comments].flatMap(([path, text]) =>
    [...text.matchAll(new RegExp(DENIED, 'gi'))].map((match) => `${path}: ${match[0]}`),
  );
  expect(found, 'Write standard technical English: docs/glossary.md has the words.').toEqual([]);
});

test('no text names a folder of a personal machine', () => {
  const own = new RegExp(['/(root|home/\\w+|Users/\\w+|work)/', '[\\w.-]'].join(''));
  const found = files.filter(
    (path) => isText(path) && !path.startsWith('test/guards/') && own.test(read(path)),
  );
  expect(found, 'Name files relative to the repository.').toEqual([]);
});

function isText(path: string): boolean {
  return (
    !/\.(png|ico|gz|zip|p12|der)$/.test(path) &&
    path !== 'pnpm-lock.yaml' &&
    statSync(join(root, path)).isFile()
  );
}

test('the repository contains no private key', () => {
  const found = files.filter(
    (path) =>
      isText(path) &&
      !path.startsWith('test/guards/') &&
      /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{40}/.test(read(path)),
  );
  expect(found).toEqual([]);
});

test('the sizes of files (a report, not a check)', () => {
  const sizes = sourceFiles()
    .filter((file) => !file.forTests)
    .map(({ path, text }) => ({ path, lines: text.split('\n').length }))
    .sort((a, b) => a.lines - b.lines);
  const median = sizes[Math.floor(sizes.length / 2)]!.lines;
  const large = sizes.filter(({ lines }) => lines > 300);
  if (median > 100 || large.length > 0)
    console.info(
      `median ${median} lines; over 300: ${large.map(({ path, lines }) => `${path} (${lines})`).join(', ')}`,
    );
});

test('docs/operations.md describes exactly the existing alerts', () => {
  const rows = [
    ...read('docs/operations.md').matchAll(
      /^\| `(\w+)` \| `(anomaly\.[a-z-]+)`[^|]*\| ([^|]+) \| ([^|]+) \|$/gm,
    ),
  ];
  expect(rows.map((row) => [row[1], row[2]]).toSorted()).toEqual(
    ALERTS.map((alert) => [alert, anomalyAction(alert)]).toSorted(),
  );
});
