/**
 * Returns why this password cannot be set, or undefined if it can. Allows only printable ASCII without
 * leading or trailing blanks: programs normalise other text differently, so a login could fail with the same
 * text that was set.
 */
export function newPasswordProblem(password: string): string | undefined {
  if (password.length === 0) return 'The new password is empty.';
  if (password.length > 128) return 'The new password is longer than 128 characters.';
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(password))
    return 'The new password holds characters other than printable ASCII, or begins or ends with a blank.';
  return undefined;
}
