import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { readConfiguration } from '../configuration-policies/read-configuration.ts';
import type { AgentsDeps } from './deps.ts';
import { otherAgent } from './own-device.ts';

/** Returns the effective configuration of the agent's own device. */
export function getAgentConfiguration(
  deps: Pick<AgentsDeps, 'database'>,
): Handler<typeof devices.AgentsService.getAgentConfiguration> {
  return async (request, context) => {
    const deviceId = request.agentId;
    const configuration = await deps.database.readTenant(context.tenantId, (reader) =>
      readConfiguration(reader, deviceId, undefined),
    );
    if (!configuration) throw ClavigerError.notFound();
    if (deviceId !== context.actor.userId) throw otherAgent();
    return { configuration };
  };
}
