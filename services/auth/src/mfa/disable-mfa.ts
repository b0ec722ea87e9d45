import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { requireCurrentActor, requirePerson } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import type { MfaDeps } from './deps.ts';
import { removeFactor } from './factors-store.ts';
import { mfaRefused } from './mfa-errors.ts';

/** Removes the actor's second factor (requires step-up) and ends the other sessions of the actor. */
export function disableMfa(deps: MfaDeps): Handler<typeof auth.AuthService.disableMfa> {
  return async (_request, context) => {
    requirePerson(context);
    const { userId, tenantId, sessionId } = context.actor;
    const { revoked } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockUser(tx, userId);
      await requireCurrentActor(tx, context);
      const ended = await endSessionsOfUser(tx, userId, 'mfa-disabled', {
        exceptSessionId: sessionId,
        keepApiTokens: true,
      });
      if (!(await removeFactor(tx, userId))) throw mfaRefused({ refused: 'no_factor' });
      await deps.emitter.audit(tx, context, { subject: { type: 'user', id: userId } });
      return ended;
    });
    await deps.liveness.revoke(revoked);
    return {};
  };
}
