import { hasHiddenCharacter } from './hidden-characters.ts';

/** A canonical path, or why the file is ambiguous. */
export type CanonicalPath =
  | { readonly path: string; readonly unresolved?: undefined }
  | { readonly path?: undefined; readonly unresolved: string };

/** The longest path of Windows, in UTF-16 units. */
const MAX_PATH_LENGTH = 32_767;
const SHORT_NAME = /^[^.]{1,6}~[0-9]{1,6}(\.[^.]{0,3})?$/;
const DEVICE_NAME = /^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])(\..*)?$/;
const ADMINISTRATIVE_SHARE = /^([A-Z]|ADMIN|IPC|PRINT|FAX)\$$/;

/**
 * The canonical form of a Windows path: `C:\…` or `\\SERVER\SHARE\…`, upper case, without `.`, `..`, doubled
 * or forward separators, trailing dots and blanks, or `::$DATA`. Windows opens one file under many names. A
 * path that depends on the state of the device (short names, drive-relative paths, other streams, device
 * paths, mapped drives) is unresolved, and a rule that needs it leaves the request to a person.
 */
export function canonicalWindowsPath(raw: string): CanonicalPath {
  if (raw === '') return { unresolved: 'the path is empty' };
  if (raw.length > MAX_PATH_LENGTH) return { unresolved: 'the path is longer than Windows allows' };
  if (hasHiddenCharacter(raw))
    return { unresolved: 'the path holds a control, invisible or direction-changing character' };
  const verbatim = /^\\\\\?\\|^\\\?\?\\/.exec(raw);
  if (!verbatim) return canonicalOf(raw.replaceAll('/', '\\'), false);
  const rest = raw.slice(4);
  if (/^UNC\\/i.test(rest)) return canonicalOf(`\\\\${rest.slice(4)}`, true);
  if (!/^[A-Za-z]:\\/.test(rest)) return { unresolved: 'the path names a device, not a file of a drive' };
  return canonicalOf(rest, true);
}

/** Verbatim: after `\\?\` Windows takes every segment literally, so all segments must be canonical. */
function canonicalOf(raw: string, verbatim: boolean): CanonicalPath {
  const drive = /^([A-Za-z]):\\/.exec(raw);
  const unc = /^\\\\([^\\]+)\\([^\\]+)\\/.exec(raw);
  if (!drive && !unc) return { unresolved: 'the path is relative, or names a device' };
  if (unc && /^[.?]$/.test(unc[1]!)) return { unresolved: 'the path names a device, not a file of a drive' };
  const root = foldCase(drive ? `${drive[1]}:` : `\\\\${unc![1]}\\${unc![2]}`);
  if (unc && (ADMINISTRATIVE_SHARE.test(foldCase(unc[2]!)) || /[<>"|?*:]/.test(root)))
    return { unresolved: 'the path goes through an administrative share, another name of a local drive' };
  if (unc && [unc[1]!, unc[2]!].some((part) => /[. ]$/.test(part) || /^\.+$/.test(part)))
    return { unresolved: 'the server or share ends in a dot or a blank' };
  const segments = segmentsOf(raw.slice((drive ?? unc)![0].length), verbatim);
  if (typeof segments === 'string') return { unresolved: segments };
  return { path: `${root}\\${segments.join('\\')}` };
}

/** The cleaned segments, or why they are ambiguous. */
function segmentsOf(rest: string, verbatim: boolean): string[] | string {
  const raw = rest.split('\\');
  const kept: string[] = [];
  for (const [position, spelled] of raw.entries()) {
    const last = position === raw.length - 1;
    let segment = last ? spelled.replace(/::\$DATA$/i, '') : spelled;
    if (verbatim && (segment === '' || segment === '.' || segment === '..' || /[. ]$/.test(segment)))
      return 'a literal path holds a segment that only a literal path can reach';
    if (segment === '' && !last) continue;
    if (segment === '.') segment = '';
    else if (segment === '..') {
      kept.pop();
      segment = '';
    } else if (/[. ]$/.test(segment)) {
      // Windows removes all of them at the end of a path, but only a single dot inside it.
      const cleaned = last ? segment.replace(/[. ]+$/, '') : segment.replace(/(?<![. ])\.$/, '');
      if (cleaned === '' || /[. ]$/.test(cleaned)) return 'a folder ends in a dot or a blank';
      segment = cleaned;
    }
    if (segment === '') {
      if (last) return 'the path names a folder';
      continue;
    }
    const folded = foldCase(segment);
    const problem = segmentProblem(folded);
    if (problem) return problem;
    kept.push(folded);
  }
  return kept.length === 0 ? 'the path names a folder' : kept;
}

/** Why a cleaned segment is ambiguous. */
function segmentProblem(segment: string): string | undefined {
  if (segment.includes(':')) return 'the path names an alternate stream';
  if (/[<>"|?*/]/.test(segment)) return 'the path holds a character that no file name holds';
  if (isShortName(segment)) return 'the path holds a short (8.3) name';
  if (DEVICE_NAME.test(segment)) return 'the path names a device';
  return undefined;
}

/** `PROGRA~1`: only the device can resolve it to the long name. */
export function isShortName(segment: string): boolean {
  const stem = segment.split('.', 1)[0]!;
  return stem.length <= 8 && SHORT_NAME.test(segment);
}

/**
 * Upper case as the file system compares names: unit by unit, so that the length stays, and never from
 * outside ASCII into it (`ı` is not `I`, the Kelvin sign is not `K`).
 */
export function foldCase(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.toUpperCase();
  return text.replace(/[a-z\u0080-\uffff]/g, (unit) => {
    const upper = unit.toUpperCase();
    const staysOutside = unit < '\x80' || upper >= '\x80';
    return upper.length === 1 && staysOutside ? upper : unit;
  });
}
