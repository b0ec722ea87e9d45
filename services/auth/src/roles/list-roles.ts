import type * as auth from '@claviger/contracts/auth/v1/auth';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { RolesDeps } from './deps.ts';
import { roleMessage, rolesQuery } from './roles-store.ts';

export const ROLE_SORT: SortFields = { name: { column: 'roles.name', type: 'text' } };

export function listRoles(deps: RolesDeps): Handler<typeof auth.RolesService.listRoles> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      let query = rolesQuery(reader);
      if (request.search) {
        const term = likeTerm(request.search);
        query = query.where(({ or, eb }) =>
          or([eb('roles.name', 'ilike', term), eb('roles.description', 'ilike', term)]),
        );
      }
      return pageOf({
        request,
        query,
        sort: ROLE_SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'roles.id', type: 'uuid' },
        map: roleMessage,
      });
    });
}
