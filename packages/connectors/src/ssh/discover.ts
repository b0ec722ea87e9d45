import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { TARGET_LIMITS } from '../limits.ts';
import { listed } from '../listed.ts';
import { isAccountName } from './account-name.ts';
import type { SshConfig } from './config.ts';
import { runCommand } from './run-command.ts';
import { openSession, type SshSession } from './session.ts';

const privilegedGroups = ['sudo', 'wheel', 'admin', 'root'];

/**
 * Lists the accounts of the host with `getent`, and the state of each password if the login is root or may
 * use sudo without a password. Never reads password hashes.
 */
export async function discoverSsh(
  config: SshConfig,
  admin: Credential,
  ctx: ConnectorContext,
): Promise<DiscoveredAccount[]> {
  try {
    await using session = await openSession(config, admin, ctx, operationSignal(ctx));
    const passwd = await read(session, 'getent passwd');
    const groups = parseGroups(await read(session, 'getent group'));
    const command = config.privilege === 'root' ? 'passwd -S -a' : 'sudo -n -- passwd -S -a';
    const states = parseStates((await runCommand(session, command)).output);
    const lines = passwd.split('\n');
    if (lines.length > TARGET_LIMITS.accounts)
      throw new ConnectorError('protocol', `The host lists more than ${TARGET_LIMITS.accounts} accounts.`);
    return lines.flatMap((line) => parseAccount(line, groups, states));
  } catch (error) {
    throw asConnectorError(error);
  }
}

async function read(session: SshSession, command: string): Promise<string> {
  const { exitCode, output } = await runCommand(session, command);
  if (exitCode === 0) return output;
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended while reading accounts.');
  throw new ConnectorError('permission', `The command '${command}' failed on the host (code ${exitCode}).`);
}

/** The groups of the host, indexed by group id and by member, so that no account needs a search. */
interface Groups {
  readonly byId: ReadonlyMap<string, readonly string[]>;
  readonly byMember: ReadonlyMap<string, readonly string[]>;
  readonly privilegedIds: ReadonlySet<string>;
  readonly privilegedMembers: ReadonlySet<string>;
}

/** Limits the groups that are shown for one account. */
const MAX_GROUPS_OF_ACCOUNT = 200;

interface PasswordState {
  readonly locked: boolean;
  readonly changedOn?: string;
}

function parseGroups(text: string): Groups {
  const byId = new Map<string, string[]>();
  const byMember = new Map<string, string[]>();
  const privilegedIds = new Set<string>();
  const privilegedMembers = new Set<string>();
  for (const line of text.split('\n')) {
    const [name, , gid, list] = line.split(':', 4);
    if (!name || !gid) continue;
    const members = new Set((list ?? '').split(',').filter(Boolean));
    const isPrivileged = privilegedGroups.includes(name);
    add(byId, gid, name);
    if (isPrivileged) privilegedIds.add(gid);
    for (const member of members) {
      add(byMember, member, name);
      if (isPrivileged) privilegedMembers.add(member);
    }
  }
  return { byId, byMember, privilegedIds, privilegedMembers };
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else if (values.length < MAX_GROUPS_OF_ACCOUNT) values.push(value);
}

/** Parses lines such as `name P 2026-01-31 0 99999 7 -1`; older hosts print the day as 01/31/2026. */
export function parseStates(text: string): Map<string, PasswordState> {
  const states = new Map<string, PasswordState>();
  for (const line of text.split('\n')) {
    const fields = line.trim().split(' ');
    // A name may contain blanks.
    const at = fields.findIndex((field, index) => index > 0 && /^(?:P|PS|L|LK|NP)$/.test(field));
    if (at === -1) continue;
    const [name, state, day] = [fields.slice(0, at).join(' '), fields[at], fields[at + 1]];
    const american = /^(\d\d)\/(\d\d)\/(\d{4})$/.exec(day ?? '');
    const changedOn = american ? `${american[3]}-${american[1]}-${american[2]}` : day;
    states.set(name, {
      locked: state !== 'P' && state !== 'PS',
      ...(changedOn && /^\d{4}-\d\d-\d\d$/.test(changedOn) ? { changedOn } : {}),
    });
  }
  return states;
}

function parseAccount(
  line: string,
  groups: Groups,
  states: ReadonlyMap<string, PasswordState>,
): DiscoveredAccount[] {
  const [username, , uid, gid, , home, shell] = line.split(':', 7);
  if (!username || !uid || !gid || !isAccountName(username)) return [];
  const memberOf = new Set([...(groups.byId.get(gid) ?? []), ...(groups.byMember.get(username) ?? [])]);
  const state = states.get(username);
  const hasShell = !/(?:\/nologin|\/false|\/sync|\/shutdown|\/halt)$/.test(shell ?? '');
  return [
    {
      username,
      privileged: uid === '0' || groups.privilegedIds.has(gid) || groups.privilegedMembers.has(username),
      canLogin: hasShell && state?.locked !== true,
      ...(state?.changedOn === undefined ? {} : { lastPasswordChange: state.changedOn }),
      details: {
        uid,
        gid,
        home: home ?? '',
        shell: shell ?? '',
        groups: listed([...memberOf], ','),
        passwordState: state === undefined ? 'unknown' : state.locked ? 'locked' : 'set',
      },
    },
  ];
}
