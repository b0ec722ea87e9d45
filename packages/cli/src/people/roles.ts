import * as auth from '@claviger/contracts/auth/v1/auth';
import { CommandError, EXIT } from '../exit-codes.ts';
import { say, tell } from '../output.ts';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { roleId } from './find-by-name.ts';
import { listItems } from './paging.ts';
import { withSession } from './session.ts';
import { type Column, fieldsText, type OutputFormat, showJson } from './show.ts';
import { showList } from './show-list.ts';

export interface RoleOptions extends ConnectionOptions {
  readonly description?: string;
  readonly permission?: string[];
}

const service = auth.RolesService;

export const roleColumns: readonly Column<auth.Role>[] = [
  ['ROLE', (row) => row.name],
  ['BUILT IN', (row) => (row.builtIn ? 'yes' : '')],
  ['DESCRIPTION', (row) => row.description],
  ['PERMISSIONS', (row) => row.permissions.join(' ')],
];

export function listRoles(options: ConnectionOptions & ListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    showList(await listItems(api, service.listRoles, {}, options), roleColumns, format);
  });
}

export function listPermissions(options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { items } = await api.call(service.listPermissions, {});
    if (format === 'json') return showJson({ items });
    for (const permission of items) say(permission);
  });
}

export function createRole(name: string, options: RoleOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { description = '', permission = [] } = options;
    const { role } = await api.call(service.createRole, { name, description, permissions: permission });
    show(role!, format);
  });
}

/** What is not given stays; the version that was read keeps another's change from being undone. */
export function updateRole(name: string, options: RoleOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    if (options.description === undefined && options.permission === undefined)
      throw new CommandError('say what to change: --description or --permission', EXIT.usage);
    const id = await roleId(api, name);
    const before = (await api.call(service.getRole, { roleId: id })).role!;
    const { role } = await api.call(service.updateRole, {
      roleId: id,
      description: options.description ?? before.description,
      permissions: options.permission ?? before.permissions,
      rowVersion: before.rowVersion,
    });
    show(role!, format);
  });
}

export function deleteRole(name: string, options: ConnectionOptions): Promise<void> {
  return withSession(options, async ({ api }) => {
    await api.call(service.deleteRole, { roleId: await roleId(api, name) });
    tell('deleted');
  });
}

function show(role: auth.Role, format: OutputFormat): void {
  if (format === 'json') return showJson(role);
  say(
    fieldsText([
      ['role', role.name],
      ['id', role.id],
      ['description', role.description],
      ['permissions', role.permissions.join(' ')],
    ]),
  );
}
