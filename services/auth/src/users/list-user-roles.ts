import type * as auth from '@claviger/contracts/auth/v1/auth';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { ROLE_SORT } from '../roles/list-roles.ts';
import { roleMessage, rolesQuery } from '../roles/roles-store.ts';
import type { UsersDeps } from './deps.ts';
import { readUser } from './users-store.ts';

export function listUserRoles(deps: UsersDeps): Handler<typeof auth.UsersService.listUserRoles> {
  return async (request, context) => {
    const userId = request.userId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await readUser(reader, userId);
      const query = rolesQuery(reader).where(
        sql<boolean>`EXISTS (SELECT FROM user_roles ur WHERE ur.tenant_id = roles.tenant_id AND ur.role_id = roles.id
          AND ur.user_id = ${userId})`,
      );
      return pageOf({
        request,
        query,
        sort: ROLE_SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'roles.id', type: 'uuid' },
        map: roleMessage,
      });
    });
  };
}
