import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { deliverAccountStatus } from '../account-status/deliver-account-status.ts';
import { queueAccountStatus } from '../account-status/queue-account-status.ts';
import { requireOwnAccount } from '../responsible/people-behind.ts';
import { lockAdministration } from '../roles/roles-store.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { endSessionsOfUser, raiseEpoch } from '../sign-in/sessions-store.ts';
import { notifyGateways } from '../tenants/end-all-access.ts';
import { refuseSelf, requireCurrentActor, requireNotAbove } from '../users/user-permissions.ts';
import { type LockedUser, lockUser, readUser } from '../users/users-store.ts';
import { storePassword } from './credentials-store.ts';
import type { PasswordsDeps } from './deps.ts';
import { checkNewPassword } from './password-rules.ts';

/**
 * Sets the password of another user, who may not hold more permissions or sites than the actor. Ends the
 * sessions and grants of the account. The account also counts as the actor's until its user changes the
 * password.
 */
export function setUserPassword(deps: PasswordsDeps): Handler<typeof auth.UsersService.setUserPassword> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Use PUT /api/v1/users/me/password.');
    const { username } = await deps.database.readTenant(context.tenantId, (reader) =>
      readUser(reader, userId),
    );
    checkNewPassword(request.password, username, '/password');
    const phc = await deps.passwords.hash(request.password);
    requireOwnAccount(context);
    const { tenantId, actor } = context;
    const { revoked, raised } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockAdministration(tx);
      requireHuman(await lockUser(tx, userId));
      const holds = await requireCurrentActor(tx, context);
      await requireNotAbove(tx, context, holds, userId);
      await storePassword(tx, { tenantId, userId, phc, setBy: actor.userId });
      await clearFailures(tx, userId, ['password']);
      await deps.emitter.audit(tx, context, {});
      await queueAccountStatus(tx, {
        userId,
        ends: true,
        cause: 'Another user set the password of the account.',
        changedBy: actor.userId,
      });
      const ended = await endSessionsOfUser(tx, userId, 'password-changed', { keepApiTokens: true });
      // Raise the epoch: the tokens of the user and of their machine identities name the people behind the
      // account.
      return { revoked: ended.revoked, raised: await raiseEpoch(tx, [userId]) };
    });
    await notifyGateways(deps, { revoked, raised });
    await deliverAccountStatus(deps, tenantId, userId);
    return {};
  };
}

/** Throws `conflict` for a machine identity: it has API tokens and no password. */
export function requireHuman(user: LockedUser): void {
  if (user.kind === 'machine') {
    throw new ClavigerError('conflict', 'A machine identity has no password.', {
      code: 'machine_user',
      hint: 'Create an API token for it.',
    });
  }
}
