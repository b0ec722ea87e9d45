import type * as auth from '@claviger/contracts/auth/v1/auth';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { UserStatus } from '../schema.ts';
import type { UsersDeps } from './deps.ts';
import { userMessage, usersQuery } from './users-store.ts';

const SORT: SortFields = {
  username: { column: 'users.canonical_login', type: 'text' },
  displayName: { column: 'users.display_name', type: 'text' },
  createdAt: { column: 'users.created_at', type: 'timestamptz' },
  lastLoginAt: { column: 'users.last_login_at', type: 'timestamptz', nullable: true },
};

export function listUsers(deps: UsersDeps): Handler<typeof auth.UsersService.listUsers> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      let query = usersQuery(reader);
      if (request.status) query = query.where('users.status', '=', request.status as UserStatus);
      if (request.search) {
        const term = likeTerm(request.search);
        query = query.where(({ or, eb }) =>
          or([
            eb('users.username', 'ilike', term),
            eb('users.display_name', 'ilike', term),
            eb('users.email', 'ilike', term),
          ]),
        );
      }
      if (request.role) {
        query = query.where(
          sql<boolean>`EXISTS (SELECT FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
            WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id AND r.name = ${request.role})`,
        );
      }
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'username',
        tieBreaker: { column: 'users.id', type: 'uuid' },
        map: userMessage,
      });
    });
}
