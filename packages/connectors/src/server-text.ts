/** More than any displayed message needs. Longer text is cut before secrets are removed from it. */
const READ_CHARACTERS = 8_192;

/**
 * Returns text of a target in a form safe for an error message: one line, no control characters, at most 300
 * characters, and without the given secrets, in case the target echoes one. Takes linear time.
 */
export function serverText(text: string, secrets: readonly (string | undefined)[] = []): string {
  let clean = text.slice(0, READ_CHARACTERS);
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '[removed]');
  // The cut may have split a secret: remove a last part that could be the beginning of one.
  const longest = Math.max(0, ...secrets.map((secret) => secret?.length ?? 0));
  if (text.length > READ_CHARACTERS) clean = clean.slice(0, Math.max(0, clean.length - longest));
  return clean
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
