import type { BlockedAccount } from '../connector.ts';
import type { RunAsRoot } from './run-as-root.ts';

/**
 * Returns why sshd refuses every password of the account, by the settings in `sshd -T`. Returns undefined if
 * it accepts one, or if that cannot be determined: another sshd than that of this session, host patterns, or
 * group names with blanks.
 */
export async function keptOutBySshd(asRoot: RunAsRoot, name: string): Promise<BlockedAccount | undefined> {
  // SSH_CONNECTION has address and port of the client, then of the server; `set` splits it into $1 to $4.
  const command =
    'set -- $SSH_CONNECTION; echo "$4"; id -u -- "$n"; id -G -- "$n"; id -Gn -- "$n"; ' +
    'sshd -T -C "user=$n,host=$1,addr=$1,laddr=$3,lport=$4"';
  const { exitCode, output } = await asRoot({ command, name });
  const [port = '', uid, groupIds = '', groupNames = '', ...lines] = output.split('\n');
  if (exitCode !== 0) return undefined;
  const settings = new Map<string, string[]>();
  for (const line of lines) {
    const [key = '', ...values] = line.split(' ');
    settings.set(key, [...(settings.get(key) ?? []), ...values]);
  }
  const all = (key: string): readonly string[] => settings.get(key) ?? [];
  if (!all('port').includes(port)) return undefined;
  const groups = groupNames.split(' ');
  return keptOut(all, {
    name,
    isRoot: uid === '0',
    groups: groups.length === groupIds.split(' ').length ? groups : undefined,
  });
}

interface SshdAccount {
  readonly name: string;
  readonly isRoot: boolean;
  readonly groups: readonly string[] | undefined;
}

function keptOut(
  all: (key: string) => readonly string[],
  { name, isRoot, groups }: SshdAccount,
): BlockedAccount | undefined {
  const setting = (text: string, hint: string): BlockedAccount => ({
    reason: `sshd accepts no password for this account: ${text}.`,
    hint: `Change sshd_config on the host: ${hint}`,
  });
  const [rootLogin = 'yes'] = all('permitrootlogin');
  if (isRoot && rootLogin !== 'yes')
    return setting(`PermitRootLogin is ${rootLogin}`, 'PermitRootLogin yes, or rotate another account.');
  const isOff = (key: string) => all(key)[0] === 'no';
  if (isOff('passwordauthentication') && isOff('kbdinteractiveauthentication'))
    return setting('PasswordAuthentication is no', 'PasswordAuthentication yes, also in its Match blocks.');
  const methods = all('authenticationmethods');
  const byPassword = /^(?:password|any|keyboard-interactive(?::.*)?)$/;
  if (methods.length > 0 && !methods.some((method) => byPassword.test(method)))
    return setting(`AuthenticationMethods is ${methods.join(' ')}`, 'AuthenticationMethods any.');
  // A pattern with @ may name a host: it is not evaluated.
  const names = (key: string) => all(key).filter((pattern) => !pattern.includes('@'));
  if (names('denyusers').some((pattern) => matches(pattern, name)))
    return setting('DenyUsers names it', `remove ${name} from DenyUsers.`);
  if (all('allowusers').length > 0 && names('allowusers').length === all('allowusers').length)
    if (!all('allowusers').some((pattern) => matches(pattern, name)))
      return setting('AllowUsers does not name it', `add ${name} to AllowUsers.`);
  if (groups === undefined) return undefined;
  const anyGroup = (key: string) =>
    all(key).some((pattern) => groups.some((group) => matches(pattern, group)));
  if (anyGroup('denygroups')) return setting('DenyGroups names one of its groups', 'check DenyGroups.');
  if (all('allowgroups').length > 0 && !anyGroup('allowgroups'))
    return setting('AllowGroups names none of its groups', 'check AllowGroups.');
  return undefined;
}

/**
 * Matches a pattern of sshd_config with `*` and `?`. Takes time proportional to the product of both lengths.
 */
export function matches(pattern: string, text: string): boolean {
  let [at, from, star] = [0, 0, -1];
  for (let here = 0; here < text.length; ) {
    if (pattern[at] === '*') {
      star = at;
      from = here;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[here])) {
      at += 1;
      here += 1;
    } else if (star !== -1) {
      from += 1;
      here = from;
      at = star + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
