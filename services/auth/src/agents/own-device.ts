import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';
import { isLiveToken } from './agent-tokens-store.ts';
import { agentTokenEnded } from './read-agent.ts';

/**
 * Locks the agent's own device until the transaction ends and checks that its token is live. Throws `denied`
 * for another device of the tenant, `not_found` for an unknown device, `unauthenticated` if the token ended.
 */
export async function lockOwnDevice(
  tx: Tx<AuthSchema>,
  context: CallContext,
  deviceId: string,
): Promise<{ deviceId: string; tokenId: string }> {
  const { actor } = context;
  const device = await tx
    .selectFrom('devices')
    .select('status')
    .where('id', '=', deviceId)
    .$if(deviceId === actor.userId, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
  if (!device) throw ClavigerError.notFound();
  if (deviceId !== actor.userId) throw otherAgent();
  const token = await tx
    .selectFrom('agent_tokens')
    .select('id')
    .where('id', '=', actor.sessionId)
    .where('device_id', '=', deviceId)
    .where(isLiveToken)
    .executeTakeFirst();
  if (!token || device.status !== 'active') throw agentTokenEnded();
  return { deviceId, tokenId: token.id };
}

export const otherAgent = (): ClavigerError =>
  new ClavigerError('denied', 'An agent can act only for its own device.', {
    code: 'other_agent',
    hint: 'Use the id of your own device in the path.',
  });
