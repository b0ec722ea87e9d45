import { ClavigerError } from '@claviger/errors';

// Control, invisible and blank characters are ignored when names are compared loosely.
const INVISIBLE = /[\p{C}\p{Z}\s]/gu;

/** Canonical form of account names: compared without regard to case, as Windows does. */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** Loose form, as sign-in names are compared: matches every user whom a name may mean. */
function looseName(name: string): string {
  return name.replace(INVISIBLE, '').normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** Returns the name without its domain: after the last backslash, before the first @. */
export function bareName(name: string): string {
  const loose = looseName(name);
  const local = loose.slice(loose.lastIndexOf('\\') + 1);
  const at = local.indexOf('@');
  return at > 0 ? local.slice(0, at) : local;
}

/** Returns all loose forms of a name, with and without its domain. */
export function possibleNames(name: string): string[] {
  const loose = looseName(name);
  const local = loose.slice(loose.lastIndexOf('\\') + 1);
  const names = [loose, local, bareName(name), loose.split('@')[0]!];
  return [...new Set(names)].filter((each) => each !== '');
}

const MAX_LENGTH = 512;
const CONTROLS = /\p{Cc}/u;

/**
 * Returns the texts without duplicates. Throws `invalid` with the pointer of the first that is not one
 * trimmed line.
 */
export function checkedTexts(texts: readonly string[], pointer: string): string[] {
  const seen = new Map<string, string>();
  texts.forEach((text, index) => {
    if (text.trim() === '' || text !== text.trim() || text.length > MAX_LENGTH || CONTROLS.test(text)) {
      throw ClavigerError.invalid(
        `${pointer}/${index}`,
        `must be one line of 1 to ${MAX_LENGTH} characters without leading or trailing blanks`,
      );
    }
    if (!seen.has(foldedName(text))) seen.set(foldedName(text), text);
  });
  return [...seen.values()];
}
