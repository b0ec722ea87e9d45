import type { RefusalKind } from '../connector.ts';

export interface Refusal {
  readonly kind: RefusalKind;
  /** What to do next, if the output shows it. */
  readonly hint?: string;
}

/** Ordered: messages about the account or the time take precedence over complaints about the password. */
const refusals: readonly (Refusal & { readonly words: RegExp })[] = [
  {
    words: /lock busy|try again later|temporarily|cannot lock/i,
    kind: 'not_now',
    hint: 'Another program has locked the account files. If this persists, look for /etc/passwd.lock and /etc/shadow.lock.',
  },
  {
    words:
      /wait longer|too (?:young|soon|recent)|minimum (?:password )?age|not old enough|cannot be changed yet/i,
    kind: 'not_now',
    hint: "The password's minimum age has not passed (chage -l NAME). Wait, lower it (chage -m 0 NAME), or rotate as an administrator.",
  },
  {
    words: /locked due to|account is (?:temporarily )?locked|minutes? left to unlock/i,
    kind: 'not_now',
    hint: 'Too many logins failed. Wait, or unlock the account: faillock --user NAME --reset.',
  },
  {
    words: /account (?:has )?expired/i,
    kind: 'not_possible',
    hint: 'Extend the expiry (chage -E -1 NAME) or the inactivity (chage -I -1 NAME) of the account.',
  },
  {
    words: /password for .{0,300} cannot be changed|account is disabled/i,
    kind: 'not_possible',
    hint: 'Check the account with passwd -S NAME and chage -l NAME: it is locked, or its ages forbid every change.',
  },
  {
    words: /reset by root is not supported/i,
    kind: 'not_possible',
    hint: "The directory allows only the account itself to change this password: set rotateAs to 'self', or use the module of the directory.",
  },
  {
    words:
      /bad password|too short|too long|longer password|too simple|too similar|too many|not enough|palindrome|dictionary|already used|has been used|not been changed|is rotated|case changes only|contains the user|based on|exhausted maximum/i,
    kind: 'policy',
    hint: "The host's password rules are in /etc/security/pwquality.conf and /etc/pam.d/common-password (or system-auth).",
  },
  {
    words: /permission denied|not permitted|may not view or modify|does not exist|unknown user/i,
    kind: 'permission',
  },
];

/**
 * Returns why `passwd` or `chpasswd` (under LC_ALL=C) kept the password, or undefined if the output does not
 * show it.
 */
export function refusalIn(output: string): Refusal | undefined {
  const found = refusals.find(({ words }) => words.test(output));
  return found && { kind: found.kind, ...(found.hint === undefined ? {} : { hint: found.hint }) };
}

export type Prompt = 'current' | 'new' | 'retype';

/** Returns the prompt at the end of the output, if there is one. */
export function promptAtEnd(output: string): Prompt | undefined {
  const line = output.slice(Math.max(output.lastIndexOf('\n'), output.lastIndexOf('\r')) + 1).trim();
  if (!line.endsWith(':')) return undefined;
  if (/retype|re-enter|again|repeat|confirm|verify/i.test(line)) return 'retype';
  if (/new .*password/i.test(line)) return 'new';
  if (/password/i.test(line)) return 'current';
  return undefined;
}
