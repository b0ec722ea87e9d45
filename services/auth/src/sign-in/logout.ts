import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import type { SignInDeps } from './deps.ts';
import { endSession } from './sessions-store.ts';

/** Ends the session with its access and refresh tokens before the answer. Idempotent. */
export function logout(deps: SignInDeps): Handler<typeof auth.AuthService.logout> {
  return async (_request, context) => {
    const { sessionId, tenantId } = context.actor;
    await deps.database.withTenant(tenantId, async (tx) => {
      await endSession(tx, sessionId, 'logout');
      await deps.emitter.audit(tx, context, { subject: { type: 'session', id: sessionId } });
    });
    await deps.liveness.revoke([sessionId]);
    return {};
  };
}
