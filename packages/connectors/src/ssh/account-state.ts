import type { BlockedAccount } from '../connector.ts';
import { asConnectorError } from '../connector-error.ts';
import type { RunAsRoot } from './run-as-root.ts';
import { runCommand } from './run-command.ts';
import type { SshSession } from './session.ts';
import { keptOutBySshd } from './sshd-settings.ts';

/** The state of an account as an administrator sees it; a state that cannot be read counts as not blocked. */
export interface AccountState {
  /** The password is locked: `passwd -l`, `usermod -L`, or none was ever set. */
  readonly locked: boolean;
  /**
   * The day of the last change to restore with `chage -d`, if the account depends on it: `0` if the password
   * must be changed at the next login, `YYYY-MM-DD` if the account is inactive because its password is too
   * old.
   */
  readonly keepDay?: string;
  /** Why no login with a password can succeed. */
  readonly blocked?: BlockedAccount;
}

/**
 * Reads `passwd -S` and `chage -l`, and as root `sshd -T`. A command that is not permitted is skipped. Throws
 * ConnectorError.
 */
export async function accountState(
  session: SshSession,
  asRoot: RunAsRoot,
  isRoot: boolean,
  name: string,
): Promise<AccountState> {
  const today = (await runCommand(session, 'date +%F')).output.trim();
  const status = statusIn(await look(asRoot, 'passwd -S -- "$n"', name), name);
  const ages = agesIn(await look(asRoot, 'chage -l -- "$n"', name));
  const locked = status === 'L' || status === 'LK';
  const isExpired = ages.expires !== undefined && ages.expires <= today;
  // On that day the account may still change its password itself.
  const isInactive = ages.inactive !== undefined && ages.inactive < today;
  const keepDay = ages.mustChange ? '0' : isInactive ? ages.lastChange : undefined;
  const blocked =
    (locked
      ? { reason: 'The account is locked on the host.', hint: `Unlock it there: passwd -u ${name}` }
      : undefined) ??
    (isExpired
      ? {
          reason: `The account expired on the host on ${ages.expires}.`,
          hint: `Set a later expiry date: chage -E -1 ${name}`,
        }
      : undefined) ??
    (isInactive
      ? {
          reason: `The account is inactive on the host: its password was too old on ${ages.inactive}.`,
          hint: `Reactivate it: chage -I -1 ${name}`,
        }
      : undefined) ??
    (isRoot ? await keptOutBySshd(asRoot, name) : undefined);
  return {
    locked,
    ...(keepDay === undefined ? {} : { keepDay }),
    ...(blocked === undefined ? {} : { blocked }),
  };
}

async function look(asRoot: RunAsRoot, command: string, name: string): Promise<string> {
  try {
    const { exitCode, output } = await asRoot({ command, name });
    return exitCode === 0 ? output : '';
  } catch (error) {
    // Do not send a password again that sudo has refused.
    if (asConnectorError(error).kind !== 'permission') throw error;
    return '';
  }
}

/** Returns the second field of a line such as `name P 2026-01-31 0 99999 7 -1`. */
function statusIn(output: string, name: string): string | undefined {
  const line = output.split('\n').find((each) => each.startsWith(`${name} `));
  return line?.slice(name.length + 1).split(' ', 1)[0];
}

/** Parses the output of `chage -l`; days are `YYYY-MM-DD`. */
function agesIn(output: string) {
  const said = new Map<string, string>();
  for (const line of output.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) said.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const day = (label: string) => dayOf(said.get(label) ?? '');
  return {
    lastChange: day('last password change'),
    mustChange: said.get('password expires') === 'password must be changed',
    inactive: day('password inactive'),
    expires: day('account expires'),
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Parses `Jan 31, 2026`, which chage prints under LC_ALL=C, or 2026-01-31. */
function dayOf(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const [, month, day, year] = /^([A-Z][a-z]{2}) (\d\d), (\d{4,5})$/.exec(text) ?? [];
  const at = months.indexOf(month ?? '');
  return at === -1 ? undefined : `${year}-${String(at + 1).padStart(2, '0')}-${day}`;
}
