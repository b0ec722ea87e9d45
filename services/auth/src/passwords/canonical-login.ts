import { ClavigerError } from '@claviger/errors';

const MAX_LENGTH = 256;
// Control, format (including zero-width), surrogate, private-use and unassigned characters, and blanks.
const REFUSED = /[\p{C}\p{Z}\s]/u;

/** The displayed name: compatibility forms folded, case kept. */
export function shownLogin(username: string): string {
  return username.normalize('NFKC');
}

/**
 * Canonical form for comparison, uniqueness and counting: NFKC, case folded. Throws `invalid` for names with
 * blanks or invisible characters, which could look like another name.
 */
export function canonicalLogin(username: string): string {
  const shown = shownLogin(username);
  if (shown === '' || shown.length > MAX_LENGTH || REFUSED.test(username) || REFUSED.test(shown)) {
    throw ClavigerError.invalid('/username', 'may not contain blanks, control or invisible characters');
  }
  // Upper case first, to fold characters without a one-to-one lower case, such as the German sharp s.
  return shown.toUpperCase().toLowerCase().normalize('NFKC');
}
