import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireWithinLicense } from '../license/license-usage.ts';
import { canonicalLogin, shownLogin } from '../passwords/canonical-login.ts';
import { storePassword } from '../passwords/credentials-store.ts';
import { checkNewPassword } from '../passwords/password-rules.ts';
import { requireOwnAccount } from '../responsible/people-behind.ts';
import { rolesByName, setRoles } from '../roles/roles-store.ts';
import { currentSites } from '../sites/actor-sites.ts';
import { storeUserSites } from '../sites/store-user-sites.ts';
import type { UsersDeps } from './deps.ts';
import { requireCurrentActor, requireHeld } from './user-permissions.ts';
import { readUser } from './users-store.ts';

/**
 * Creates a user. Without a password, the person sets one by a reset link. With a password, the account also
 * counts as the creator's until its user changes the password. A machine identity has no password, and its
 * creator is responsible for it.
 */
export function createUser(deps: UsersDeps): Handler<typeof auth.UsersService.createUser> {
  return async (request, context) => {
    const canonical = canonicalLogin(request.username);
    const kind = request.kind === 'machine' ? 'machine' : 'person';
    if (kind === 'machine' && request.password) {
      throw ClavigerError.invalid('/password', 'must be absent: a machine identity uses API tokens');
    }
    if (kind === 'person') await requireWithinLicense(deps, 'users');
    if (request.password) checkNewPassword(request.password, request.username, '/password');
    if (request.password) requireOwnAccount(context);
    const phc = request.password ? await deps.passwords.hash(request.password) : undefined;
    const { tenantId, actor } = context;
    try {
      const user = await deps.database.withTenant(tenantId, async (tx) => {
        const holds = await requireCurrentActor(tx, context);
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
            // The responsible person of a machine identity is also responsible for the machine identities
            // that it creates.
            responsible_id: kind === 'machine' ? (actor.responsibleId ?? actor.userId) : null,
            last_login_at: null,
            deleted_at: null,
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await setRoles(tx, tenantId, id, roles);
        // A site-restricted creator must not create a user without restriction.
        const sites = await currentSites(tx, context);
        if (sites !== undefined) await storeUserSites(tx, tenantId, id, sites);
        if (phc) await storePassword(tx, { tenantId, userId: id, phc, setBy: actor.userId });
        await deps.emitter.audit(tx, context, { subject: { type: 'user', id }, request });
        return readUser(tx, id);
      });
      return { user };
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('already_exists', 'A user with this name already exists.', {
        code: 'username_taken',
      });
    }
  };
}
