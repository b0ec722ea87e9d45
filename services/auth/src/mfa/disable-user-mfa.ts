import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { lockAdministration } from '../roles/roles-store.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { refuseSelf, requireCurrentActor, requireNotAbove } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import type { MfaDeps } from './deps.ts';
import { removeFactor } from './factors-store.ts';
import { mfaRefused } from './mfa-errors.ts';

/** Removes the second factor of another user, e.g. after a lost device, and ends that user's sessions. */
export function disableUserMfa(deps: MfaDeps): Handler<typeof auth.UsersService.disableUserMfa> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Use DELETE /api/v1/auth/mfa.');
    const { revoked } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      await lockUser(tx, userId);
      await requireNotAbove(tx, context, await requireCurrentActor(tx, context), userId);
      const ended = await endSessionsOfUser(tx, userId, 'mfa-disabled', { keepApiTokens: true });
      if (!(await removeFactor(tx, userId))) throw mfaRefused({ refused: 'no_factor' });
      await clearFailures(tx, userId, ['mfa', 'recovery']);
      await deps.emitter.audit(tx, context, {});
      return ended;
    });
    await deps.liveness.revoke(revoked);
    return {};
  };
}
