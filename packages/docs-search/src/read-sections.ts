import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DocsSection, sectionsOf } from './sections-of.ts';

/** The folder `docs` of the workspace that this package lies in. */
export function documentationFolder(): string {
  return resolve(import.meta.dirname, '../../../docs');
}

/** Every section of every page, in the order of file names; none where the folder is not there. */
export function readSections(folder: string): DocsSection[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .flatMap((name) => sectionsOf(name, readFileSync(join(folder, name), 'utf8')));
}
