import type { RefusalKind } from '../connector.ts';

const policyWords =
  /bad password|too short|too long|longer password|too simple|too similar|too many|not enough|palindrome|dictionary|already used|has been used|wait longer|not been changed|is rotated|case changes only|contains the user|based on|exhausted maximum/i;
const busyWords = /lock busy|try again later|temporarily|cannot lock/i;
const permissionWords = /permission denied|not permitted|may not view or modify|does not exist|unknown user/i;

/** Reads why `passwd` or `chpasswd` (under LC_ALL=C) kept the password, or undefined when its words tell nothing. */
export function refusalIn(output: string): RefusalKind | undefined {
  if (busyWords.test(output)) return 'unreachable';
  if (policyWords.test(output)) return 'policy';
  if (permissionWords.test(output)) return 'permission';
  return undefined;
}

export type Prompt = 'current' | 'new' | 'retype';

/** The prompt that the output ends with, if it ends with one. */
export function promptAtEnd(output: string): Prompt | undefined {
  const line = output.slice(Math.max(output.lastIndexOf('\n'), output.lastIndexOf('\r')) + 1).trim();
  if (!line.endsWith(':')) return undefined;
  if (/retype|re-enter|again|repeat|confirm|verify/i.test(line)) return 'retype';
  if (/new .*password/i.test(line)) return 'new';
  if (/password/i.test(line)) return 'current';
  return undefined;
}
