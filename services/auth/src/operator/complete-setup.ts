import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { canonicalLogin, shownLogin } from '../passwords/canonical-login.ts';
import { linkRefused, spendLink } from '../passwords/one-time-links.ts';
import { checkNewPassword } from '../passwords/password-rules.ts';
import { readLinkToken } from '../sign-in/bearer-secrets.ts';
import { readUser } from '../users/users-store.ts';
import type { OperatorDeps } from './deps.ts';
import { createFirstAdministrator, refuseEarly, requireNoUser } from './first-user.ts';

/** Consumes a set-up link: the first administrator chooses a name and a password. */
export function completeSetup(deps: OperatorDeps): Handler<typeof auth.AuthService.completeSetup> {
  return async (request, context) => {
    canonicalLogin(request.username);
    checkNewPassword(request.password, request.username, '/password');
    const link = readLinkToken(request.token);
    if (!link) throw linkRefused();
    await refuseEarly(deps, link.tenantId);
    const phc = await deps.passwords.hash(request.password);
    const user = await deps.database.withTenant(link.tenantId, async (tx) => {
      // Lock the tenant first: if another caller created the user, the link is not consumed.
      await requireNoUser(tx, link.tenantId);
      if (!(await isActiveTenant(tx))) return undefined;
      const spent = await spendLink(tx, 'setup', link);
      if (spent.known) context.auditTenantId = link.tenantId;
      if (!spent.right) return undefined;
      const id = await createFirstAdministrator(tx, link.tenantId, {
        username: request.username,
        displayName: request.displayName,
        email: request.email,
        phc,
      });
      context.auditActorId = id;
      context.auditActorName = shownLogin(request.username);
      await deps.emitter.audit(tx, context, { subject: { type: 'user', id }, request });
      return readUser(tx, id);
    });
    if (!user) throw linkRefused();
    return { user };
  };
}
