import type * as devices from '@claviger/contracts/auth/v1/devices';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { endAgentTokens, issueAgentToken } from './agent-tokens-store.ts';
import type { AgentsDeps } from './deps.ts';
import { lockOwnDevice } from './own-device.ts';

/** Counted from the first rotation request with the former token, even if its answer was lost. */
const FORMER_LIVES_HOURS = 24;

/**
 * Issues a new token to the agent. The former token works until the new one is first used, at most 24 hours.
 * If the agent repeats the request with the former token, it did not receive the answer: the unused token is
 * replaced.
 */
export function rotateOwnAgentToken(
  deps: Pick<AgentsDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.AgentsService.rotateOwnAgentToken> {
  return async (request, context) => {
    context.auditSubject = { type: 'device', id: request.agentId };
    const { agentToken, revoked } = await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireActiveTenant(tx);
      const { deviceId, tokenId } = await lockOwnDevice(tx, context, request.agentId);
      const ended = await endAgentTokens(tx, deviceId, 'never-used', tokenId);
      await tx
        .updateTable('agent_tokens')
        .set({
          expires_at: sql<Date>`coalesce(expires_at, clock_timestamp() + make_interval(hours => ${FORMER_LIVES_HOURS}::int))`,
        })
        .where('id', '=', tokenId)
        .execute();
      const made = await issueAgentToken(tx, context.tenantId, deviceId);
      await deps.emitter.audit(tx, context, { details: { by: 'agent' } });
      return { agentToken: made, revoked: ended };
    });
    await deps.liveness.revoke(revoked);
    return { agentToken };
  };
}
