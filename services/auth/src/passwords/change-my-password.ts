import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { hasConfirmedFactor } from '../mfa/factors-store.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { placeOf } from '../sign-in/places.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { requireCurrentActor, requirePerson } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import { credentialOfUser, storePassword } from './credentials-store.ts';
import type { PasswordsDeps } from './deps.ts';
import { checkNewPassword } from './password-rules.ts';
import { provePassword, wrongPassword } from './prove-password.ts';

const STEP_UP_WINDOW_SECONDS = 600;

/**
 * Requires the current password, and a recent second factor if the user has one. Ends the other sessions of
 * the actor.
 */
export function changeMyPassword(deps: PasswordsDeps): Handler<typeof auth.AuthService.changeMyPassword> {
  return async (request, context) => {
    requirePerson(context);
    const { userId, userName, tenantId, sessionId, mfaAt } = context.actor;
    context.auditSubject = { type: 'user', id: userId };
    checkNewPassword(request.newPassword, userName, '/newPassword');
    const hasFactor = await deps.database.readTenant(tenantId, (reader) =>
      hasConfirmedFactor(reader, userId),
    );
    if (hasFactor && Date.now() / 1000 - mfaAt > STEP_UP_WINDOW_SECONDS) {
      throw new ClavigerError(
        'step_up_required',
        'This requires a second factor used within the last ten minutes.',
        {
          code: 'mfa_not_satisfied',
          hint: 'Prove it with POST /api/v1/auth/mfa/challenge, then try again.',
        },
      );
    }
    const before = await provePassword(deps, context, request.currentPassword);
    const phc = await deps.passwords.hash(request.newPassword);
    const { revoked } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockUser(tx, userId);
      await requireCurrentActor(tx, context);
      if ((await credentialOfUser(tx, userId))?.phc !== before) throw wrongPassword();
      await storePassword(tx, { tenantId, userId, phc, setBy: null });
      await clearFailures(tx, userId, ['password'], placeOf(context));
      await deps.emitter.audit(tx, context, {});
      return endSessionsOfUser(tx, userId, 'password-changed', {
        exceptSessionId: sessionId,
        keepApiTokens: true,
      });
    });
    await deps.liveness.revoke(revoked);
    return {};
  };
}
