import type * as auth from '@claviger/contracts/auth/v1/auth';
import { anyOf, type Reader, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { AuthSchema } from '../schema.ts';
import { ADMINISTRATOR, BUILT_IN_ROLES } from './built-in-roles.ts';

export interface RoleRow {
  id: string;
  name: string;
  description: string;
  permissions: string[];
  built_in: boolean;
  row_version: number;
}

export function rolesQuery(reader: Reader<AuthSchema>) {
  return reader
    .selectFrom('roles')
    .select([
      'roles.id',
      'roles.name',
      'roles.description',
      'roles.permissions',
      'roles.built_in',
      'roles.row_version',
    ]);
}

export function roleMessage(row: RoleRow): auth.Role {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    permissions: row.permissions,
    builtIn: row.built_in,
    rowVersion: row.row_version,
  };
}

export async function createBuiltInRoles(tx: Tx<AuthSchema>, tenantId: string): Promise<void> {
  await tx
    .insertInto('roles')
    .values(
      BUILT_IN_ROLES.map((role) => ({
        tenant_id: tenantId,
        name: role.name,
        description: role.description,
        permissions: [...role.permissions],
        built_in: true,
      })),
    )
    .execute();
}

/** Returns the roles with exactly these names. Throws `invalid` for an unknown name. */
export async function rolesByName(reader: Reader<AuthSchema>, names: readonly string[]): Promise<RoleRow[]> {
  if (names.length === 0) return [];
  const rows = await rolesQuery(reader).where('roles.name', '=', anyOf(names, 'text')).execute();
  names.forEach((name, index) => {
    if (!rows.some((row) => row.name === name)) {
      throw ClavigerError.invalid(`/roles/${index}`, 'is not the name of a role');
    }
  });
  return rows;
}

export async function rolesOf(reader: Reader<AuthSchema>, userId: string): Promise<RoleRow[]> {
  return rolesQuery(reader)
    .innerJoin('user_roles', (join) =>
      join.onRef('user_roles.tenant_id', '=', 'roles.tenant_id').onRef('user_roles.role_id', '=', 'roles.id'),
    )
    .where('user_roles.user_id', '=', userId)
    .orderBy('roles.name')
    .execute();
}

/** Replaces the roles of a user. */
export async function setRoles(
  tx: Tx<AuthSchema>,
  tenantId: string,
  userId: string,
  roles: readonly RoleRow[],
): Promise<void> {
  await tx.deleteFrom('user_roles').where('user_id', '=', userId).execute();
  if (roles.length === 0) return;
  await tx
    .insertInto('user_roles')
    .values(roles.map((role) => ({ tenant_id: tenantId, user_id: userId, role_id: role.id })))
    .execute();
}

/**
 * Serialises changes to other users' permissions within a tenant. The common lock order prevents deadlocks:
 * administration, user, session (`requireCurrentActor` included), second factor.
 */
export async function lockAdministration(tx: Tx<AuthSchema>): Promise<void> {
  await tx.selectFrom('roles').select('id').where('name', '=', ADMINISTRATOR).forNoKeyUpdate().execute();
}

/**
 * Throws `conflict` if the change left the tenant without an active administrator of all sites. Call after
 * the change.
 */
export async function requireAdministrator(tx: Tx<AuthSchema>): Promise<void> {
  const left = await tx
    .selectFrom('users')
    .innerJoin('user_roles', (join) =>
      join.onRef('user_roles.tenant_id', '=', 'users.tenant_id').onRef('user_roles.user_id', '=', 'users.id'),
    )
    .innerJoin('roles', (join) =>
      join.onRef('roles.tenant_id', '=', 'user_roles.tenant_id').onRef('roles.id', '=', 'user_roles.role_id'),
    )
    .select('users.id')
    .where('roles.name', '=', ADMINISTRATOR)
    .where('users.kind', '=', 'person')
    .where('users.status', '=', 'active')
    .where('users.deleted_at', 'is', null)
    .where('users.site_restricted', '=', false)
    .limit(1)
    .executeTakeFirst();
  if (!left) {
    throw new ClavigerError('conflict', 'This would leave the tenant without an administrator.', {
      code: 'last_administrator',
      hint: 'Give the role administrator to another active person first.',
    });
  }
}
