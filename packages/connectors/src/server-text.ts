/** More than any message that is shown needs; what is longer is cut before it is searched. */
const READ_CHARACTERS = 8_192;

/**
 * Makes a target's own words fit for an error message: one line, no control characters, at most 300
 * characters, and none of the given secrets, should the target echo one. Takes time in proportion to what is
 * read of the text.
 */
export function serverText(text: string, secrets: readonly (string | undefined)[] = []): string {
  let clean = text.slice(0, READ_CHARACTERS);
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '[removed]');
  // The cut may have gone through a secret, of which only the beginning is left.
  const longest = Math.max(0, ...secrets.map((secret) => secret?.length ?? 0));
  if (text.length > READ_CHARACTERS) clean = clean.slice(0, Math.max(0, clean.length - longest));
  return clean
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
