import type * as devices from '@claviger/contracts/auth/v1/devices';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { objectId } from '../object-id.ts';
import { endAgentTokens, issueAgentToken } from './agent-tokens-store.ts';
import type { AgentsDeps } from './deps.ts';
import { lockOwnDevice } from './own-device.ts';

/** From the first rotation that it asked for, whatever became of the answers. */
const FORMER_LIVES_HOURS = 24;

/**
 * A new token for the agent itself. The former works until the new one is first used, at most a day. Asked again with the
 * former, the one that was never used is replaced: its answer was lost.
 */
export function rotateOwnAgentToken(
  deps: Pick<AgentsDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.AgentsService.rotateOwnAgentToken> {
  return async (request, context) => {
    context.auditSubject = { type: 'device', id: objectId(request.agentId) };
    const { agentToken, tell } = await deps.database.withTenant(context.tenantId, async (tx) => {
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
      return { agentToken: made, tell: ended };
    });
    await deps.liveness.revoke(tell);
    return { agentToken };
  };
}
