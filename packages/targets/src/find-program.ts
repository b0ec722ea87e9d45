import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const known = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/libexec', '/opt/homebrew/bin'];

/** Finds a program on PATH or in the folders of servers; throws with the package to install. */
export function findProgram(names: readonly string[], debianPackage: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...known];
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(`${names[0]} was not found. Install it (Debian: apt-get install ${debianPackage}).`);
}
