import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { importsOf, root, type SourceFile, sourceFiles } from './source-files.ts';

/** The id of a hostile case (`H-001`) or a fault (`F-01`). */
const CASE = /\b(?:H-\d{3}|F-\d{2})\b/g;
const BEGIN = '<!-- played cases: written by `node test/guards/played-cases.ts --write` -->';
const END = '<!-- end of the played cases -->';
const readme = join(root, 'test/README.md');

/** Paths of the test files that play a case, by case. */
export type PlayedCases = ReadonlyMap<string, readonly string[]>;

/** Reads the sources: a test file plays the cases that it or an imported suite names. */
export function playedCases(files: readonly SourceFile[] = sourceFiles()): PlayedCases {
  const byPath = new Map(files.filter((file) => file.forTests).map((file) => [file.path, file]));
  const played = new Map<string, Set<string>>();
  for (const file of byPath.values()) {
    if (!file.path.endsWith('.test.ts') || file.path.startsWith('test/guards/')) continue;
    const suites = importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => byPath.get(normalize(join(dirname(file.path), specifier))));
    for (const part of [file, ...suites])
      for (const [name] of part?.text.matchAll(CASE) ?? [])
        played.set(name, (played.get(name) ?? new Set()).add(file.path));
  }
  return new Map([...played].map(([name, paths]) => [name, [...paths].toSorted()] as const).toSorted(byCase));
}

/** Reads the list of test/README.md. Throws when its marks are missing. */
export function listedCases(text = readFileSync(readme, 'utf8')): PlayedCases {
  const [begin, end] = placeOf(text);
  const rows = text.slice(begin, end).matchAll(/^\| ((?:H|F)-\d+) \| (.*) \|$/gm);
  return new Map([...rows].map(([, name, paths]) => [name!, paths!.replaceAll('`', '').split(', ')]));
}

/** Cases that the list names and that no test plays any more. */
export const missingCases = (listed: PlayedCases, played: PlayedCases): string[] =>
  [...listed.keys()].filter((name) => !played.has(name));

/**
 * Returns the text with an updated list. A case without a test keeps its row, so that the guard reports it.
 */
export function withList(text: string, played: PlayedCases): string {
  const [begin, end] = placeOf(text);
  const kept = [...listedCases(text)].filter(([name]) => !played.has(name));
  const rows = [...played, ...kept]
    .toSorted(byCase)
    .map(([name, paths]) => `| ${name} | ${paths.map((path) => `\`${path}\``).join(', ')} |`);
  const table = ['', '', '| case | played by |', '| --- | --- |', ...rows, '', ''].join('\n');
  return text.slice(0, begin) + table + text.slice(end);
}

function placeOf(text: string): [number, number] {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`test/README.md needs the lines ${BEGIN} and ${END}`);
  return [begin + BEGIN.length, end];
}

function byCase([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

if (import.meta.main) {
  const text = withList(readFileSync(readme, 'utf8'), playedCases());
  if (process.argv.includes('--write')) writeFileSync(readme, text);
  else for (const [name, paths] of listedCases(text)) console.log(`${name} ${paths.join(' ')}`);
  const missing = missingCases(listedCases(text), playedCases());
  if (missing.length > 0)
    console.error(`no test plays ${missing.join(', ')}: add one, or remove the row by hand`);
}
