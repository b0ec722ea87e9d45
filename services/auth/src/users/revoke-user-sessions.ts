import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { lockAdministration } from '../roles/roles-store.ts';
import { endSessionsOfUser } from '../sign-in/sessions-store.ts';
import type { UsersDeps } from './deps.ts';
import { requireCurrentActor } from './user-permissions.ts';
import { lockUser } from './users-store.ts';

/** Ends every session of a user, including API tokens; a user's own call also ends its own session. */
export function revokeUserSessions(deps: UsersDeps): Handler<typeof auth.UsersService.revokeUserSessions> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    const { ended, revoked } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      await lockUser(tx, userId);
      await requireCurrentActor(tx, context);
      const result = await endSessionsOfUser(tx, userId, 'sessions-revoked');
      await deps.emitter.audit(tx, context, { details: { revokedSessions: result.ended } });
      return result;
    });
    await deps.liveness.revoke(revoked);
    return { revokedSessions: ended };
  };
}
