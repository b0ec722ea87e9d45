import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { readLinkToken } from '../sign-in/bearer-secrets.ts';
import { clearFailures } from '../sign-in/lockout.ts';
import { notePlace, placeOf } from '../sign-in/places.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import { credentialOfUser, storePassword } from './credentials-store.ts';
import type { PasswordsDeps } from './deps.ts';
import { linkRefused, spendLink } from './one-time-links.ts';
import { checkNewPassword } from './password-rules.ts';

/**
 * Consumes a reset link: sets the password, removes the lock and ends every session. The second factor is
 * unchanged.
 */
export function completePasswordReset(
  deps: PasswordsDeps,
): Handler<typeof auth.AuthService.completePasswordReset> {
  return async (request, context) => {
    const link = readLinkToken(request.token);
    if (!link) throw linkRefused();
    // Check the rules that need no user first: a refused password must not consume the link.
    checkNewPassword(request.newPassword, '', '/newPassword');
    const phc = await deps.passwords.hash(request.newPassword);
    const { tenantId } = link;
    const done = await deps.database.withTenant(tenantId, async (tx) => {
      // The holder of a link must not learn whether the tenant is suspended.
      if (!(await isActiveTenant(tx))) return undefined;
      const spent = await spendLink(tx, 'password-reset', link);
      if (spent.known) {
        context.auditTenantId = tenantId;
        context.auditActorId = spent.userId!;
        context.auditSubject = { type: 'user', id: spent.userId! };
      }
      if (!spent.right) return undefined;
      const userId = spent.userId!;
      const user = await credentialOfUser(tx, userId);
      context.auditActorName = user?.username;
      if (!user?.active) return undefined;
      checkNewPassword(request.newPassword, user.username, '/newPassword');
      await storePassword(tx, { tenantId, userId, phc, setBy: null });
      await clearFailures(tx, userId, ['password']);
      // The user signs in from this place next and must not be refused there while the account is locked
      // elsewhere.
      await notePlace(tx, tenantId, userId, placeOf(context));
      await deps.emitter.audit(tx, context, {});
      return endSessionsOfUser(tx, userId, 'password-changed', { keepApiTokens: true });
    });
    if (!done) throw linkRefused();
    await deps.liveness.revoke(done.revoked);
    return {};
  };
}
