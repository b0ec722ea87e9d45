import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { readPermissions } from '../users/user-permissions.ts';
import type { DirectoryDeps } from './deps.ts';

/**
 * Returns status, permissions and roles of a user from the database. A deleted user is inactive and has no
 * permissions.
 */
export function getUserPermissions(
  deps: DirectoryDeps,
): Handler<typeof auth.DirectoryService.getUserPermissions> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const userId = request.userId;
    const current = await deps.database.readTenant(context.tenantId, (reader) =>
      readPermissions(reader, userId),
    );
    return {
      active: current?.active ?? false,
      permissions: [...(current?.permissions ?? [])],
      roles: [...(current?.roles ?? [])],
    };
  };
}
