import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { objectId } from '../object-id.ts';
import { standingOf } from '../users/standing.ts';
import type { DirectoryDeps } from './deps.ts';

/**
 * Returns status, permissions and roles of a user from the database. A deleted user is inactive and has no
 * permissions.
 */
export function getStanding(deps: DirectoryDeps): Handler<typeof auth.DirectoryService.getStanding> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const userId = objectId(request.userId);
    const standing = await deps.database.readTenant(context.tenantId, (reader) => standingOf(reader, userId));
    return {
      active: standing?.active ?? false,
      permissions: [...(standing?.permissions ?? [])],
      roles: [...(standing?.roles ?? [])],
    };
  };
}
