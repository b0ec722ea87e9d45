import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { refuseSelf, requireCurrentActor, requireNotAbove } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import type { PasswordsDeps } from './deps.ts';
import { createLink } from './one-time-links.ts';
import { requireHuman } from './set-user-password.ts';

const TTL_MINUTES = 60;

/**
 * Creates a one-time link that the actor gives to the user. The current password works until the link is
 * used.
 */
export function startPasswordReset(
  deps: PasswordsDeps,
): Handler<typeof auth.UsersService.startPasswordReset> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Use PUT /api/v1/users/me/password.');
    const { tenantId } = context;
    const link = await deps.database.withTenant(tenantId, async (tx) => {
      const user = await lockUser(tx, userId);
      const holds = await requireCurrentActor(tx, context);
      requireHuman(user);
      if (user.status !== 'active') {
        throw new ClavigerError('conflict', 'The user is disabled.', {
          code: 'user_disabled',
          hint: 'Enable the user first.',
        });
      }
      await requireNotAbove(tx, context, holds, userId);
      const made = await createLink(tx, {
        tenantId,
        purpose: 'password-reset',
        userId,
        ttlMinutes: TTL_MINUTES,
      });
      await deps.emitter.audit(tx, context, {});
      return made;
    });
    return {
      resetToken: link.token,
      resetUrl: `${deps.config.publicUrl}/reset#token=${link.token}`,
      expiresAt: link.expiresAt.toISOString(),
    };
  };
}
