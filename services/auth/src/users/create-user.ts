import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireWithinLicence } from '../licence/licence-usage.ts';
import { canonicalLogin, shownLogin } from '../passwords/canonical-login.ts';
import { storePassword } from '../passwords/credentials-store.ts';
import { checkNewPassword } from '../passwords/password-rules.ts';
import { requireOwnAccount } from '../responsible/people-behind.ts';
import { rolesByName, setRoles } from '../roles/roles-store.ts';
import { sitesNow } from '../sites/actor-sites.ts';
import { storeUserSites } from '../sites/store-user-sites.ts';
import type { UsersDeps } from './deps.ts';
import { actingNow, requireHeld } from './standing.ts';
import { readUser } from './users-store.ts';

/**
 * Without a password the user gets one through a reset link. A machine never has one, and whoever makes it is responsible for it.
 * With a password the account counts as its maker's until the person has chosen another one.
 */
export function createUser(deps: UsersDeps): Handler<typeof auth.UsersService.createUser> {
  return async (request, context) => {
    const canonical = canonicalLogin(request.username);
    const kind = request.kind === 'machine' ? 'machine' : 'person';
    if (kind === 'machine' && request.password) {
      throw ClavigerError.invalid('/password', 'must be absent: a machine signs in with API tokens');
    }
    if (kind === 'person') await requireWithinLicence(deps, 'users');
    if (request.password) checkNewPassword(request.password, request.username, '/password');
    if (request.password) requireOwnAccount(context);
    const phc = request.password ? await deps.passwords.hash(request.password) : undefined;
    const { tenantId, actor } = context;
    try {
      const user = await deps.database.withTenant(tenantId, async (tx) => {
        const holds = await actingNow(tx, context);
        const roles = await rolesByName(tx, [...new Set(request.roles)]);
        if (roles.length > 0) requireHeld(holds, ['users.roles.update']);
        requireHeld(
          holds,
          roles.flatMap((role) => role.permissions),
        );
        const { id } = await tx
          .insertInto('users')
          .values({
            tenant_id: tenantId,
            username: shownLogin(request.username),
            canonical_login: canonical,
            display_name: request.displayName,
            email: request.email,
            kind,
            // What a machine makes, its responsible person makes.
            responsible_id: kind === 'machine' ? (actor.responsibleId ?? actor.userId) : null,
            last_login_at: null,
            deleted_at: null,
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await setRoles(tx, tenantId, id, roles);
        // Whoever is kept to some sites makes nobody who is free of them.
        const sites = await sitesNow(tx, context);
        if (sites !== undefined) await storeUserSites(tx, tenantId, id, sites);
        if (phc) await storePassword(tx, { tenantId, userId: id, phc, setBy: actor.userId });
        await deps.emitter.audit(tx, context, { subject: { type: 'user', id }, request });
        return readUser(tx, id);
      });
      return { user };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('already_exists', 'There is a user of this name already.', {
        code: 'username_taken',
      });
    }
  };
}
