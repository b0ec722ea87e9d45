import { compileGlob, type Glob } from './glob.ts';
import { foldCase } from './windows-path.ts';

/**
 * Converts a pattern to the form of canonical paths: upper case, one kind of separator, doubled only before a
 * server.
 */
export function canonicalGlob(pattern: string): string {
  const backward = pattern.replaceAll('/', '\\');
  const server = backward.startsWith('\\\\') ? '\\' : '';
  return foldCase(server + backward.replace(/\\{2,}/g, '\\'));
}

export function compilePathGlob(pattern: string): Glob {
  return compileGlob(canonicalGlob(pattern));
}
