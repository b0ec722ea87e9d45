import * as auth from '@claviger/contracts/auth/v1/auth';
import type { ApiClient } from '../api/api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { escapeText } from './escape.ts';
import { userId } from './find-by-name.ts';
import { type CodeOptions, withStepUp } from './mfa.ts';
import { listItems } from './paging.ts';
import { roleColumns } from './roles.ts';
import { readSecretLine } from './secret-input.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson, timeText } from './show.ts';
import { showList } from './show-list.ts';

export interface UserListOptions extends ConnectionOptions, ListOptions {
  readonly search?: string;
  readonly role?: string;
}
export interface UserCreateOptions extends ConnectionOptions {
  readonly role?: string[];
  readonly displayName?: string;
  readonly email?: string;
  readonly machine?: boolean;
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}
export interface TakeOverOptions extends ConnectionOptions {
  readonly responsible?: string;
}
export type UserVerb = 'disable' | 'enable' | 'unlock' | 'sign-out' | 'delete';

const service = auth.UsersService;

const userColumns: readonly Column<auth.User>[] = [
  ['ID', (row) => row.id],
  ['USER', (row) => row.username],
  ['NAME', (row) => row.displayName],
  ['KIND', (row) => row.kind],
  ['STATUS', (row) => (row.locked ? `${row.status}, locked` : row.status)],
  ['ROLES', (row) => row.roles.join(' ')],
  ['LAST SIGN-IN', (row) => timeText(row.lastLoginAt)],
];

export function listUsers(options: UserListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { search = '', role = '' } = options;
    showList(await listItems(api, service.listUsers, { search, role }, options), userColumns, format);
  });
}

export function showUser(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { user } = await api.call(service.getUser, { userId: await userId(api, name) });
    show(user!, format);
  });
}

export function createUser(username: string, options: UserCreateOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { role = [], displayName = '', email = '', machine = false } = options;
    const { user } = await api.call(service.createUser, {
      username,
      displayName,
      email,
      roles: role,
      kind: machine ? 'machine' : 'person',
      ...(await passwordOf(options)),
    });
    show(user!, format);
  });
}

async function passwordOf({ passwordStdin, passwordFile }: UserCreateOptions) {
  if (passwordStdin && passwordFile !== undefined)
    throw new CommandError('give one of --password-stdin and --password-file', EXIT.usage);
  if (!passwordStdin && passwordFile === undefined) return {};
  return { password: await readSecretLine('password', passwordFile) };
}

/** A one-time link for the user; their present password works until they use it. */
export function resetPassword(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const answer = await api.call(service.startPasswordReset, { userId: await userId(api, name) });
    if (format === 'json') return showJson(answer);
    tell(`hand this one-time link to ${escapeText(name)}; it ends at ${timeText(answer.expiresAt)}:`);
    say(escapeText(answer.resetUrl));
  });
}

/** Makes oneself, or somebody else, responsible for a machine. */
export function takeOver(machine: string, options: TakeOverOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { responsible } = options;
    const { user } = await api.call(service.setResponsiblePerson, {
      userId: await userId(api, machine),
      ...(responsible === undefined ? {} : { responsibleId: await userId(api, responsible) }),
    });
    tell('its tokens and grants have ended; make a new token with claviger tokens create --user');
    show(user!, format);
  });
}

/** Shows the roles of a user, or replaces them. */
export function userRoles(name: string, roles: string[], options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const id = await userId(api, name);
    const items =
      roles.length > 0
        ? (await api.call(service.updateUserRoles, { userId: id, roles })).items
        : (await listItems(api, service.listUserRoles, { userId: id }, { all: true })).items;
    showList({ items, totalItems: items.length }, roleColumns, format);
  });
}

export function disableUserMfa(name: string, options: CodeOptions): Promise<void> {
  return withSession(options, async ({ api, connection }) => {
    const id = await userId(api, name);
    await withStepUp(api, connection, options, () => api.call(service.disableUserMfa, { userId: id }));
    tell('the second factor is off');
  });
}

export function changeUser(verb: UserVerb, name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    tell(await change(api, verb, await userId(api, name)));
  });
}

async function change(api: ApiClient, verb: UserVerb, id: string): Promise<string> {
  switch (verb) {
    case 'disable':
      await api.call(service.updateUser, { userId: id, status: 'disabled' });
      return 'disabled';
    case 'enable':
      await api.call(service.updateUser, { userId: id, status: 'active' });
      return 'enabled';
    case 'unlock':
      await api.call(service.unlockUser, { userId: id });
      return 'unlocked';
    case 'sign-out':
      return `${(await api.call(service.revokeUserSessions, { userId: id })).revokedSessions} sessions ended`;
    case 'delete':
      await api.call(service.deleteUser, { userId: id });
      return 'deleted';
    default:
      throw new CommandError(`unknown change ${verb satisfies never}`, EXIT.usage);
  }
}

function show(user: auth.User, format: OutputFormat): void {
  if (format === 'json') return showJson(user);
  say(
    fieldsText([
      ['user', user.username],
      ['id', user.id],
      ['name', user.displayName],
      ['e-mail', user.email],
      ['kind', user.kind],
      ['status', user.locked ? `${user.status}, locked` : user.status],
      ['roles', user.roles.join(', ')],
      ['second factor', user.mfaEnabled ? 'on' : 'off'],
      ['last sign-in', timeText(user.lastLoginAt)],
      ...(user.kind === 'machine'
        ? [['responsible', user.responsibleId ?? 'nobody: suspended'] as const]
        : []),
      ...(user.heldBy === undefined ? [] : [['password set by', user.heldBy] as const]),
    ]),
  );
}
