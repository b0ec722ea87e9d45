import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { peopleBehindUser } from '../responsible/people-behind.ts';
import { sitesOfUser } from '../sites/actor-sites.ts';
import { rolesOfUser } from '../users/roles-of-user.ts';
import type { DirectoryDeps } from './deps.ts';

const DEFAULT_LIMIT = 1_000;

/**
 * Lists active people who hold a permission by their current roles. Machine identities are left out, because
 * they cannot decide requests.
 */
export function listPermittedUsers(
  deps: Pick<DirectoryDeps, 'database'>,
): Handler<typeof devices.DeviceDirectoryService.listPermittedUsers> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const limit = request.limit || DEFAULT_LIMIT;
    const rows = await deps.database.readTenant(context.tenantId, (reader) =>
      reader
        .selectFrom('users')
        .leftJoin('directory_identities', 'directory_identities.user_id', 'users.id')
        .select([
          'users.id',
          'users.username',
          'users.site_restricted',
          sitesOfUser.as('site_ids'),
          rolesOfUser.as('roles'),
          peopleBehindUser.as('behind'),
          'directory_identities.groups',
        ])
        .where('users.kind', '=', 'person')
        .where('users.status', '=', 'active')
        .where('users.deleted_at', 'is', null)
        .where(
          sql<boolean>`EXISTS (SELECT FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
            WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id
              AND r.permissions && ${patternsFor(request.permission)}::text[])`,
        )
        .orderBy('users.id')
        .limit(limit + 1)
        .execute(),
    );
    return {
      users: rows.slice(0, limit).map((row) => ({
        id: row.id,
        name: row.username,
        roles: row.roles,
        siteRestricted: row.site_restricted,
        siteIds: row.site_restricted ? row.site_ids : [],
        groups: row.groups ?? [],
        behind: row.behind,
      })),
      truncated: rows.length > limit,
    };
  };
}

/** Returns every pattern that covers a permission: `a.b.c` is covered by itself, `a.b.*`, `a.*` and `*`. */
function patternsFor(permission: string): string[] {
  const parts = permission.split('.');
  return ['*', permission, ...parts.slice(1).map((_, index) => `${parts.slice(0, index + 1).join('.')}.*`)];
}
