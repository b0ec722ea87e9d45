import type { auth } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { objectId } from '../object-id.ts';
import { lockAdministration } from '../roles/roles-store.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { actingNow, refuseSelf, requireNotAbove } from '../users/standing.ts';
import { type LockedUser, lockUser, readUser } from '../users/users-store.ts';
import { storePassword } from './credentials-store.ts';
import { checkNewPassword } from './password-rules.ts';

/** An administrator sets the password of somebody else, who may not hold more than they do; that user's sessions end. */
export function setUserPassword(
  deps: AuthDeps,
): Handler<(typeof auth.UsersServiceService)['setUserPassword']> {
  return async (request, context) => {
    const userId = objectId(request.userId);
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Use PUT /api/v1/users/me/password.');
    const { username } = await deps.database.readTenant(context.tenantId, (reader) =>
      readUser(reader, userId),
    );
    checkNewPassword(request.password, username, '/password');
    const phc = await deps.passwords.hash(request.password);
    const { tell } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      requireHuman(await lockUser(tx, userId));
      const holds = await actingNow(tx, context);
      await requireNotAbove(tx, context, holds, userId);
      await storePassword(tx, context.tenantId, userId, phc);
      await clearFailures(tx, userId, ['password']);
      await deps.emitter.audit(tx, context, {});
      return endSessionsOfUser(tx, userId, 'password-changed', { keepApiTokens: true });
    });
    await deps.liveness.revoke(tell);
    return {};
  };
}

/** Machines have API tokens and no password. */
export function requireHuman(user: LockedUser): void {
  if (user.kind === 'machine') {
    throw new ClavigerError('conflict', 'A machine has no password.', {
      code: 'machine_user',
      hint: 'Create an API token for it.',
    });
  }
}
