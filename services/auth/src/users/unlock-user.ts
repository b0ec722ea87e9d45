import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { clearFailures } from '../sign-in/lockout.ts';
import type { UsersDeps } from './deps.ts';
import { requireCurrentActor } from './user-permissions.ts';
import { lockUser } from './users-store.ts';

/** Removes the locks after wrong passwords and codes, for every place. */
export function unlockUser(deps: UsersDeps): Handler<typeof auth.UsersService.unlockUser> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockUser(tx, userId);
      await requireCurrentActor(tx, context);
      await clearFailures(tx, userId, ['password', 'mfa', 'recovery']);
      await deps.emitter.audit(tx, context, {});
    });
    return {};
  };
}
