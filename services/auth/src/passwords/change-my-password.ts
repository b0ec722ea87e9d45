import type { auth } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { noteReason } from '../audit-reason.ts';
import type { AuthDeps } from '../deps.ts';
import { hasConfirmedFactor } from '../mfa/factors-store.ts';
import { countFailure, lockedNow } from '../sign-in/lockout.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { actingNow, requirePerson } from '../users/standing.ts';
import { lockUser } from '../users/users-store.ts';
import { credentialOfUser, storePassword } from './credentials-store.ts';
import { checkNewPassword } from './password-rules.ts';

const STEP_UP_WINDOW_SECONDS = 600;

/**
 * Needs the present password, and a fresh second factor where there is one. The caller's other sessions end. Wrong
 * guesses count like those at sign-in.
 */
export function changeMyPassword(
  deps: AuthDeps,
): Handler<(typeof auth.AuthServiceService)['changeMyPassword']> {
  return async (request, context) => {
    requirePerson(context);
    const { userId, userName, tenantId, sessionId, mfaAt } = context.actor;
    context.auditSubject = { type: 'user', id: userId };
    checkNewPassword(request.newPassword, userName, '/newPassword');
    const before = await deps.database.readTenant(tenantId, async (reader) => ({
      credential: await credentialOfUser(reader, userId),
      locked: await lockedNow(reader, 'password', userId),
      hasFactor: await hasConfirmedFactor(reader, userId),
    }));
    if (before.hasFactor && Date.now() / 1000 - mfaAt > STEP_UP_WINDOW_SECONDS) {
      throw new ClavigerError('step_up_required', 'A second factor of the last ten minutes is needed.', {
        code: 'mfa_not_satisfied',
        hint: 'Prove it with POST /api/v1/auth/mfa/challenge, then try again.',
      });
    }
    const matches = await deps.passwords.verify(before.credential?.phc, request.currentPassword);
    if (before.locked || !matches) {
      if (!before.locked) {
        await deps.database.withTenant(tenantId, (tx) => countFailure(tx, tenantId, 'password', userId));
      }
      noteReason(context, before.locked ? 'account_locked' : 'wrong_password');
      throw wrongPassword();
    }
    const phc = await deps.passwords.hash(request.newPassword);
    const { tell } = await deps.database.withTenant(tenantId, async (tx) => {
      await lockUser(tx, userId);
      await actingNow(tx, context);
      const now = await credentialOfUser(tx, userId);
      if (now?.phc !== before.credential?.phc) throw wrongPassword();
      await storePassword(tx, tenantId, userId, phc);
      await deps.emitter.audit(tx, context, {});
      return endSessionsOfUser(tx, userId, 'password-changed', {
        exceptSessionId: sessionId,
        keepApiTokens: true,
      });
    });
    await deps.liveness.revoke(tell);
    return {};
  };
}

function wrongPassword(): ClavigerError {
  return new ClavigerError('denied', 'The current password is wrong, or the account is locked.', {
    code: 'current_password_wrong',
    hint: 'Check it, or ask an administrator for a reset.',
  });
}
