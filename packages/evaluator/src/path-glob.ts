import { compileGlob, type Glob } from './glob.ts';
import { foldCase } from './windows-path.ts';

/**
 * A pattern in the spelling of canonical paths: one kind of separator, never doubled but for a server, upper
 * case.
 */
export function canonicalGlob(pattern: string): string {
  const backward = pattern.replaceAll('/', '\\');
  const server = backward.startsWith('\\\\') ? '\\' : '';
  return foldCase(server + backward.replace(/\\{2,}/g, '\\'));
}

export function compilePathGlob(pattern: string): Glob {
  return compileGlob(canonicalGlob(pattern));
}
