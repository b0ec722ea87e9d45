import type * as auth from '@claviger/contracts/auth/v1/auth';
import { anyOf } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { DirectoryDeps } from './deps.ts';

/** Returns display names and status of users, including deleted ones. Unknown ids are left out. */
export function getUserNames(deps: DirectoryDeps): Handler<typeof auth.DirectoryService.getUserNames> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const ids = [...new Set(request.userIds)];
    if (ids.length === 0) return { users: [] };
    const rows = await deps.database.readTenant(context.tenantId, (reader) =>
      reader
        .selectFrom('users')
        .select(['id', 'username', 'display_name', 'status', 'deleted_at'])
        .where('id', '=', anyOf(ids, 'uuid'))
        .execute(),
    );
    return {
      users: rows.map((row) => ({
        id: row.id,
        username: row.username,
        displayName: row.display_name,
        status: row.deleted_at ? 'deleted' : row.status,
      })),
    };
  };
}
