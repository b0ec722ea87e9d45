import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import { narrowed } from '../roles/permission-patterns.ts';
import type { AuthSchema } from '../schema.ts';
import { type Sites, sitesOfUser } from '../sites/actor-sites.ts';
import { permissionsOfUser, rolesOfUser } from '../users/rights-of-user.ts';

/** What bounds the rights of a machine at this moment. */
export interface ResponsiblePerson {
  readonly id: string;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly sites: Sites;
  readonly emergency: boolean;
}

/** Undefined where nobody is responsible, or where that person is disabled or deleted: the machine is suspended. */
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

/** What both hold. A role gives more than its permissions: it names approvers, so a machine has only those of its person. */
export function withinRights(
  own: { readonly permissions: readonly string[]; readonly roles: readonly string[] },
  person: Pick<ResponsiblePerson, 'permissions' | 'roles'>,
): { readonly permissions: string[]; readonly roles: string[] } {
  return {
    // An empty list of patterns narrows nothing elsewhere; here it allows nothing.
    permissions: person.permissions.length === 0 ? [] : narrowed(own.permissions, person.permissions),
    roles: own.roles.filter((role) => person.roles.includes(role)),
  };
}

export function responsiblePersonGone(): ClavigerError {
  return new ClavigerError('unauthenticated', 'Nobody is responsible for this machine any more.', {
    code: 'responsible_person_gone',
    hint: 'An administrator takes it over (claviger users take-over MACHINE) and makes a new token.',
  });
}
