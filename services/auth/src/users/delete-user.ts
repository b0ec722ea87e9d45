import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { deliverAccountStatus } from '../account-status/deliver-account-status.ts';
import { queueAccountStatus } from '../account-status/queue-account-status.ts';
import { forgetDirectoryIdentity } from '../directory-identities/directory-identities-store.ts';
import { lockAdministration, requireAdministrator } from '../roles/roles-store.ts';
import { requireRowVersion } from '../row-version.ts';
import { notifyGateways } from '../tenants/end-all-access.ts';
import type { UsersDeps } from './deps.ts';
import { endAccess } from './end-access.ts';
import { readPermissions, requireCurrentActor, requireNotAbove } from './user-permissions.ts';
import { lockUser } from './users-store.ts';

/**
 * Marks the row as deleted and ends all access in the same transaction; reads then return 404. The machine
 * identities of the user are suspended.
 */
export function deleteUser(deps: UsersDeps): Handler<typeof auth.UsersService.deleteUser> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    const ended = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      const user = await lockUser(tx, userId);
      requireRowVersion(request.rowVersion, user.rowVersion);
      const holds = await requireCurrentActor(tx, context);
      await requireNotAbove(tx, context, holds, userId);
      const wasAdministrator = (await readPermissions(tx, userId))?.permissions.has('*') ?? false;
      await tx
        .updateTable('users')
        .set({ deleted_at: sql`now()`, updated_at: sql`now()`, row_version: sql`row_version + 1` })
        .where('id', '=', userId)
        .execute();
      await forgetDirectoryIdentity(tx, userId);
      const endedAccess = await endAccess(tx, userId, 'user-deleted');
      await queueAccountStatus(tx, {
        userId,
        ends: true,
        cause: 'The account was deleted.',
        changedBy: context.actor.userId,
      });
      if (wasAdministrator) await requireAdministrator(tx);
      await deps.emitter.audit(tx, context, { details: { username: user.username } });
      return endedAccess;
    });
    await notifyGateways(deps, ended);
    await deliverAccountStatus(deps, context.tenantId, userId);
    return {};
  };
}
