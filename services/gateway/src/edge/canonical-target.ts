export const MAX_TARGET_LENGTH = 8_192;

const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const SEGMENT = /^(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})*$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;
// A service behind the gateway could take them for separators or for the end of a name.
const NEVER_ENCODED = /[\u0000-\u001f\u007f/\\;]/;
const QUERY = /^[\u0021-\u007e]*$/;

/**
 * Whether a request target has its one accepted spelling: `/path?query`, no empty or dot segments, no
 * unnecessary encoding, no encoded separators or control characters, UTF-8. Two spellings of one route could
 * be checked by different rules.
 */
export function isCanonicalTarget(target: string): boolean {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  if (question >= 0 && !isPlainQuery(target.slice(question + 1))) return false;
  if (path === '/' || PLAIN_PATH.test(path)) return true;
  if (!path.startsWith('/')) return false;
  const segments = path.slice(1).split('/');
  return segments.every((segment, index) => isCanonicalSegment(segment, index === segments.length - 1));
}

function isCanonicalSegment(segment: string, last: boolean): boolean {
  // A trailing slash makes a different path, and no route has one.
  if (segment === '') return last;
  if (segment === '.' || segment === '..' || !SEGMENT.test(segment)) return false;
  if (!segment.includes('%')) return true;
  for (const [encoded] of segment.matchAll(/%[0-9A-Fa-f]{2}/g)) {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    if (UNRESERVED.test(character) || NEVER_ENCODED.test(character)) return false;
  }
  try {
    decodeURIComponent(segment);
    return true;
  } catch {
    return false;
  }
}

function isPlainQuery(query: string): boolean {
  return QUERY.test(query) && !query.includes('#') && !query.includes('\\');
}
