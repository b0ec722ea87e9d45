import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * The folder with `initdb` and `postgres`: on PATH, else the newest under /usr/lib/postgresql, /usr/pgsql-*
 * or Homebrew's. Throws with what to install when there is none.
 */
export function findPostgresBinaries(): string {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const versions = (parent: string, prefix = '') =>
    existsSync(parent)
      ? readdirSync(parent)
          .filter((name) => name.startsWith(prefix))
          .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
          .map((name) => join(parent, name, 'bin'))
      : [];
  const candidates = [
    ...onPath,
    ...versions('/usr/lib/postgresql'),
    ...versions('/usr', 'pgsql-'),
    ...versions('/opt/homebrew/opt', 'postgresql@'),
    ...versions('/usr/local/opt', 'postgresql@'),
  ];
  const found = candidates.find(
    (dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres')),
  );
  if (found === undefined)
    throw new Error(
      'No PostgreSQL server was found. Install one (Debian: apt-get install postgresql) or give binDir.',
    );
  // A link to a program works only where its neighbours are.
  return dirname(realpathSync(join(found, 'initdb')));
}
