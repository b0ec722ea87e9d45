import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { deliverAccountStatus } from '../account-status/deliver-account-status.ts';
import { queueAccountStatus, requireAccountEnded } from '../account-status/queue-account-status.ts';
import { lockAdministration, requireAdministrator } from '../roles/roles-store.ts';
import type { UserStatus } from '../schema.ts';
import { notifyGateways } from '../tenants/end-all-access.ts';
import type { UsersDeps } from './deps.ts';
import { endAccess } from './end-access.ts';
import { readPermissions, requireCurrentActor, requireNotAbove } from './user-permissions.ts';
import { lockUser, readUser } from './users-store.ts';

/**
 * Absent fields stay unchanged. Disabling ends all sessions, API tokens, requests and grants of the account;
 * enabling restores none of them. The machine identities of the user are suspended while the account is
 * disabled.
 */
export function updateUser(deps: UsersDeps): Handler<typeof auth.UsersService.updateUser> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    const { tenantId } = context;
    // All former access of the account must have ended before the account is enabled.
    if (request.status === 'active') await deliverAccountStatus(deps, tenantId, userId);
    const { user, ended } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockAdministration(tx);
      const before = await lockUser(tx, userId);
      const holds = await requireCurrentActor(tx, context);
      if (request.rowVersion !== undefined && request.rowVersion !== before.rowVersion) throw changed();
      const status = request.status as UserStatus | undefined;
      const changesStatus = status !== undefined && status !== before.status;
      // Sign-in links may be sent to this address, so a changed address could take over the account.
      if (changesStatus || (request.email !== undefined && userId !== context.actor.userId)) {
        await requireNotAbove(tx, context, holds, userId);
      }
      const wasAdministrator = (await readPermissions(tx, userId))?.permissions.has('*') ?? false;
      await tx
        .updateTable('users')
        .set({
          ...(request.displayName === undefined ? {} : { display_name: request.displayName }),
          ...(request.email === undefined ? {} : { email: request.email }),
          ...(status === undefined ? {} : { status }),
          updated_at: sql`now()`,
          row_version: sql`row_version + 1`,
        })
        .where('id', '=', userId)
        .execute();
      const endedAccess =
        changesStatus && status === 'disabled'
          ? await endAccess(tx, userId, 'user-disabled')
          : { revoked: [], raised: [] };
      if (changesStatus) {
        if (status === 'active') await requireAccountEnded(tx, userId);
        await queueAccountStatus(tx, {
          userId,
          ends: status === 'disabled',
          cause: status === 'disabled' ? 'The account was disabled.' : 'The account was enabled.',
          changedBy: context.actor.userId,
        });
      }
      if (wasAdministrator) await requireAdministrator(tx);
      await deps.emitter.audit(tx, context, { request });
      return { user: await readUser(tx, userId), ended: endedAccess };
    });
    await notifyGateways(deps, ended);
    if (request.status !== undefined) await deliverAccountStatus(deps, tenantId, userId);
    return { user };
  };
}

function changed(): ClavigerError {
  return new ClavigerError('precondition_failed', 'The user has changed since you read it.', {
    hint: 'Read it again, then repeat your change.',
  });
}
