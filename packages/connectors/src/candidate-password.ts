/**
 * Says why a candidate cannot be set, or undefined when it can. Only printable ASCII without leading or trailing blanks: other
 * text is normalised differently by the many programs through which a password travels, so that it might be set as one string
 * and asked as another.
 */
export function candidateProblem(password: string): string | undefined {
  if (password.length === 0) return 'The new password is empty.';
  if (password.length > 128) return 'The new password is longer than 128 characters.';
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(password))
    return 'The new password holds characters other than printable ASCII, or begins or ends with a blank.';
  return undefined;
}
