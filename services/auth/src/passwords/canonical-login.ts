import { ClavigerError } from '@claviger/errors';

const MAX_LENGTH = 256;
// Controls, format characters (zero-width among them), surrogates, private use, unassigned; any blank.
const REFUSED = /[\p{C}\p{Z}\s]/u;

/** The name as it is shown: compatibility forms folded, case kept. */
export function shownLogin(username: string): string {
  return username.normalize('NFKC');
}

/**
 * The form in which sign-in names are compared, stored unique and counted: NFKC, case folded. Names that could look
 * like another one through invisible characters or blanks are refused.
 */
export function canonicalLogin(username: string): string {
  const shown = shownLogin(username);
  if (shown === '' || shown.length > MAX_LENGTH || REFUSED.test(username) || REFUSED.test(shown)) {
    throw ClavigerError.invalid('/username', 'may not contain blanks, control or invisible characters');
  }
  // Upper case first unites what has no one-to-one lower case, such as the German sharp s.
  return shown.toUpperCase().toLowerCase().normalize('NFKC');
}
