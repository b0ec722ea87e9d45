import type * as devices from '@claviger/contracts/auth/v1/devices';
import { requireActiveTenant } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { endAgentTokens, issueAgentToken } from '../agents/agent-tokens-store.ts';
import { changeDevice } from './change-device.ts';
import type { DevicesDeps } from './deps.ts';
import { readDevice, requireInService } from './devices-store.ts';

/** Issues a new token. The former token ends before the answer. */
export function rotateAgentToken(
  deps: Pick<DevicesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.DevicesService.rotateAgentToken> {
  return async (request, context) => {
    const { answer, revoked } = await changeDevice(
      deps,
      context,
      request.deviceId,
      async (tx, device, sites) => {
        await requireActiveTenant(tx);
        requireInService(device);
        const ended = await endAgentTokens(tx, device.id, 'rotated');
        const agentToken = await issueAgentToken(tx, context.tenantId, device.id);
        await deps.emitter.audit(tx, context, { details: { by: 'administrator' } });
        return { answer: { device: await readDevice(tx, device.id, sites), agentToken }, revoked: ended };
      },
    );
    await deps.liveness.revoke(revoked);
    return answer;
  };
}
