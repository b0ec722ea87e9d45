import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import { narrowed } from '../roles/permission-patterns.ts';
import type { AuthSchema } from '../schema.ts';
import { type Sites, sitesOfUser } from '../sites/actor-sites.ts';
import { permissionsOfUser, rolesOfUser } from '../users/roles-of-user.ts';

/** The limits of a machine identity's permissions at this moment. */
export interface ResponsiblePerson {
  readonly id: string;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly sites: Sites;
  readonly emergency: boolean;
}

/**
 * Undefined if nobody is responsible, or if that person is disabled or deleted; the machine identity is then
 * suspended.
 */
export async function responsiblePerson(
  reader: Reader<AuthSchema>,
  id: string | null,
): Promise<ResponsiblePerson | undefined> {
  if (id === null) return undefined;
  const row = await reader
    .selectFrom('users')
    .select([
      permissionsOfUser.as('permissions'),
      rolesOfUser.as('roles'),
      'site_restricted',
      sitesOfUser.as('site_ids'),
      sql<boolean>`coalesce(users.emergency_until > clock_timestamp(), false)`.as('emergency'),
    ])
    .where('id', '=', id)
    .where('status', '=', 'active')
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return undefined;
  const { permissions, roles, emergency } = row;
  return { id, permissions, roles, emergency, sites: row.site_restricted ? row.site_ids : undefined };
}

/**
 * Returns the permissions and roles that both hold. Roles are limited too, because rules name approvers by
 * role.
 */
export function limitToPerson(
  own: { readonly permissions: readonly string[]; readonly roles: readonly string[] },
  person: Pick<ResponsiblePerson, 'permissions' | 'roles'>,
): { readonly permissions: string[]; readonly roles: string[] } {
  return {
    // An empty list of patterns limits nothing in `narrowed`; here it must allow nothing.
    permissions: person.permissions.length === 0 ? [] : narrowed(own.permissions, person.permissions),
    roles: own.roles.filter((role) => person.roles.includes(role)),
  };
}

export function responsiblePersonGone(): ClavigerError {
  return new ClavigerError('unauthenticated', 'This machine identity has no active responsible person.', {
    code: 'responsible_person_gone',
    hint: 'An administrator can take it over (claviger users take-over MACHINE) and create a new token.',
  });
}
