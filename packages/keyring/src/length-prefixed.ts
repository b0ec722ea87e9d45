const MAX_ID_BYTES = 512;

/**
 * Encodes each text as a 32-bit big-endian length and its UTF-8 bytes. In contrast to JSON or a separator,
 * two different lists can never have the same bytes.
 */
export function lengthPrefixed(texts: readonly string[]): Buffer {
  const encoded = texts.map((text) => Buffer.from(text, 'utf8'));
  const out = Buffer.alloc(encoded.reduce((sum, bytes) => sum + 4 + bytes.length, 0));
  let at = 0;
  for (const bytes of encoded) {
    at = out.writeUInt32BE(bytes.length, at);
    at += bytes.copy(out, at);
  }
  return out;
}

/** @throws {TypeError} when the id is empty, too long, or not well-formed Unicode. */
export function requireId(id: string, what: string): string {
  if (typeof id !== 'string' || id === '' || !id.isWellFormed() || Buffer.byteLength(id) > MAX_ID_BYTES)
    throw new TypeError(`${what} must be a text of 1 to ${MAX_ID_BYTES} bytes`);
  return id;
}

/** A version number as text. @throws {TypeError} unless it is a whole number from 0 to 2^53-1. */
export function versionText(version: number): string {
  if (!Number.isSafeInteger(version) || version < 0)
    throw new TypeError('a version must be a whole number from 0 to 2^53-1');
  return `${version}`;
}
