import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { lockAdministration } from '../roles/roles-store.ts';
import { endSession } from '../sign-in/sessions-store.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { ApiTokensDeps } from './deps.ts';

/** Revokes an API token before the answer is sent. Idempotent. */
export function revokeApiToken(deps: ApiTokensDeps): Handler<typeof auth.ApiTokensService.revokeApiToken> {
  return async (request, context) => {
    const apiTokenId = request.apiTokenId;
    context.auditSubject = { type: 'api-token', id: apiTokenId };
    const sessionId = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      await requireCurrentActor(tx, context);
      const row = await tx
        .selectFrom('api_tokens')
        .select('session_id')
        .where('id', '=', apiTokenId)
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      await endSession(tx, row.session_id, 'api-token-revoked');
      await deps.emitter.audit(tx, context, {});
      return row.session_id;
    });
    await deps.liveness.revoke([sessionId]);
    return {};
  };
}
