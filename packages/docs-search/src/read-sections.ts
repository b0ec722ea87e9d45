import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DocsSection, sectionsOf } from './sections-of.ts';

/** Returns the folder `docs` of the workspace that contains this package. */
export function documentationFolder(): string {
  return resolve(import.meta.dirname, '../../../docs');
}

/** Returns every section of every page, in the order of file names; none if the folder is missing. */
export function readSections(folder: string): DocsSection[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) => sectionsOf(name, readFileSync(join(folder, name), 'utf8')));
}
