/**
 * Makes a target's own words fit for an error message: one line, no control characters, at most 300 characters, and none of the
 * given secrets, should the target echo one.
 */
export function serverText(text: string, secrets: readonly (string | undefined)[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '[removed]');
  return clean
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}
