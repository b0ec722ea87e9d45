import type { auth } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { objectId } from '../object-id.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { actingNow, refuseSelf, requireNotAbove } from '../users/standing.ts';
import { lockUser } from '../users/users-store.ts';
import { removeFactor } from './factors-store.ts';
import { mfaRefused } from './mfa-errors.ts';

/** An administrator switches off the second factor of somebody who lost it; that user's sessions end. */
export function disableUserMfa(deps: AuthDeps): Handler<(typeof auth.UsersServiceService)['disableUserMfa']> {
  return async (request, context) => {
    const userId = objectId(request.userId);
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Use DELETE /api/v1/auth/mfa.');
    const { tell } = await deps.database.withTenant(context.tenantId, async (tx) => {
      const holds = await actingNow(tx, context);
      await lockUser(tx, userId);
      await requireNotAbove(tx, holds, userId);
      if (!(await removeFactor(tx, userId))) throw mfaRefused('no_factor');
      await clearFailures(tx, 'mfa', userId);
      await deps.emitter.audit(tx, context, {});
      return endSessionsOfUser(tx, userId, 'mfa-disabled', { keepApiTokens: true });
    });
    await deps.liveness.revoke(tell);
    return {};
  };
}
