import { ClavigerError } from '@claviger/errors';

// Controls, invisible characters and blanks: what they are added to may be meant all the same.
const INVISIBLE = /[\p{C}\p{Z}\s]/gu;

/** The form in which account names are the same: as Windows compares them, without regard to case. */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The form in which somebody may be meant: wider than `foldedName`, as sign-in names are compared. */
function looseName(name: string): string {
  return name.replace(INVISIBLE, '').normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

/** The name without its domain: after the last backslash, before the first @. */
export function bareName(name: string): string {
  const loose = looseName(name);
  const local = loose.slice(loose.lastIndexOf('\\') + 1);
  const at = local.indexOf('@');
  return at > 0 ? local.slice(0, at) : local;
}

/** Every name by which somebody might be meant. */
export function possibleNames(name: string): string[] {
  const loose = looseName(name);
  const local = loose.slice(loose.lastIndexOf('\\') + 1);
  const names = [loose, local, bareName(name), loose.split('@')[0]!];
  return [...new Set(names)].filter((each) => each !== '');
}

const MAX_LENGTH = 512;
const CONTROLS = /\p{Cc}/u;

/** Texts of one line, each once. Throws `invalid` naming the first that is none. */
export function checkedTexts(texts: readonly string[], pointer: string): string[] {
  const seen = new Map<string, string>();
  texts.forEach((text, index) => {
    if (text.trim() === '' || text !== text.trim() || text.length > MAX_LENGTH || CONTROLS.test(text)) {
      throw ClavigerError.invalid(
        `${pointer}/${index}`,
        `must be one line of 1 to ${MAX_LENGTH} characters, without blanks around it`,
      );
    }
    if (!seen.has(foldedName(text))) seen.set(foldedName(text), text);
  });
  return [...seen.values()];
}
