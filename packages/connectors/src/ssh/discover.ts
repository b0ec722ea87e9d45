import type { ConnectorContext, Credential, DiscoveredAccount } from '../connector.ts';
import { asConnectorError, ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { isAccountName, type SshConfig } from './config.ts';
import { runCommand } from './run-command.ts';
import { openSession, type SshSession } from './session.ts';

const privilegedGroups = ['sudo', 'wheel', 'admin', 'root'];

/**
 * Lists the accounts of the host with what `getent` shows to everybody, and, where the login is root or may use sudo without a
 * password, the state of each password. Password hashes are never read.
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
    const command =
      config.privilege === 'root' ? 'env LC_ALL=C passwd -S -a' : 'env LC_ALL=C sudo -n -- passwd -S -a';
    const states = parseStates((await runCommand(session, command)).stdout);
    return passwd.split('\n').flatMap((line) => parseAccount(line, groups, states));
  } catch (error) {
    throw asConnectorError(error);
  }
}

async function read(session: SshSession, command: string): Promise<string> {
  const { exitCode, stdout } = await runCommand(session, command);
  if (exitCode === 0) return stdout;
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended while reading accounts.');
  throw new ConnectorError('permission', `The host does not answer '${command}' (code ${exitCode}).`);
}

interface Group {
  readonly name: string;
  readonly gid: string;
  readonly members: readonly string[];
}

interface PasswordState {
  readonly locked: boolean;
  readonly changedOn?: string;
}

function parseGroups(text: string): Group[] {
  return text.split('\n').flatMap((line) => {
    const [name, , gid, members] = line.split(':');
    return name && gid ? [{ name, gid, members: (members ?? '').split(',').filter(Boolean) }] : [];
  });
}

/** Lines such as `name P 2026-01-31 0 99999 7 -1`; older hosts write the day as 01/31/2026. */
export function parseStates(text: string): Map<string, PasswordState> {
  const states = new Map<string, PasswordState>();
  for (const line of text.split('\n')) {
    const [name, state, day] = line.trim().split(/\s+/);
    if (!name || !state) continue;
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
  groups: readonly Group[],
  states: ReadonlyMap<string, PasswordState>,
): DiscoveredAccount[] {
  const [username, , uid, gid, , home, shell] = line.split(':');
  if (!username || !uid || !gid || !isAccountName(username)) return [];
  const memberOf = groups.filter((group) => group.gid === gid || group.members.includes(username));
  const state = states.get(username);
  const hasShell = !/(?:\/nologin|\/false|\/sync|\/shutdown|\/halt)$/.test(shell ?? '');
  return [
    {
      username,
      privileged: uid === '0' || memberOf.some((group) => privilegedGroups.includes(group.name)),
      canLogin: hasShell && state?.locked !== true,
      ...(state?.changedOn === undefined ? {} : { lastPasswordChange: state.changedOn }),
      details: {
        uid,
        gid,
        home: home ?? '',
        shell: shell ?? '',
        groups: memberOf.map((group) => group.name).join(','),
        passwordState: state === undefined ? 'unknown' : state.locked ? 'locked' : 'set',
      },
    },
  ];
}
