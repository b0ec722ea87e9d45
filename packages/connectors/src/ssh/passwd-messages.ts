import type { RefusalKind } from '../connector.ts';

export interface Refusal {
  readonly kind: RefusalKind;
  /** What to do next, where the words tell. */
  readonly hint?: string;
}

/** In this order: what is said of the account or the moment stands beside complaints about the password. */
const refusals: readonly (Refusal & { readonly words: RegExp })[] = [
  {
    words: /lock busy|try again later|temporarily|cannot lock/i,
    kind: 'not_now',
    hint: 'Another program holds the account files. Where that does not pass, look for /etc/passwd.lock and /etc/shadow.lock.',
  },
  {
    words:
      /wait longer|too (?:young|soon|recent)|minimum (?:password )?age|not old enough|cannot be changed yet/i,
    kind: 'not_now',
    hint: "The password's minimum age is not over (chage -l NAME). Wait, lower it (chage -m 0 NAME), or rotate by an administrator.",
  },
  {
    words: /locked due to|account is (?:temporarily )?locked|minutes? left to unlock/i,
    kind: 'not_now',
    hint: 'Logins failed too often. Wait, or let the account in again: faillock --user NAME --reset.',
  },
  {
    words: /account (?:has )?expired/i,
    kind: 'not_possible',
    hint: 'Give the account another day of expiry (chage -E -1 NAME) or inactivity (chage -I -1 NAME).',
  },
  {
    words: /password for .{0,300} cannot be changed|account is disabled/i,
    kind: 'not_possible',
    hint: 'Look at the account with passwd -S NAME and chage -l NAME: it is locked, or its ages forbid every change.',
  },
  {
    words: /reset by root is not supported/i,
    kind: 'not_possible',
    hint: "The directory lets only the account itself change this password: set rotateAs to 'self', or use the module of the directory.",
  },
  {
    words:
      /bad password|too short|too long|longer password|too simple|too similar|too many|not enough|palindrome|dictionary|already used|has been used|not been changed|is rotated|case changes only|contains the user|based on|exhausted maximum/i,
    kind: 'policy',
    hint: "The host's rules for passwords stand in /etc/security/pwquality.conf and /etc/pam.d/common-password (or system-auth).",
  },
  {
    words: /permission denied|not permitted|may not view or modify|does not exist|unknown user/i,
    kind: 'permission',
  },
];

/**
 * Reads why `passwd` or `chpasswd` (under LC_ALL=C) kept the password, or undefined when its words tell
 * nothing.
 */
export function refusalIn(output: string): Refusal | undefined {
  const found = refusals.find(({ words }) => words.test(output));
  return found && { kind: found.kind, ...(found.hint === undefined ? {} : { hint: found.hint }) };
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
