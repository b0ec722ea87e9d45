import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { endAgentTokens } from '../agents/agent-tokens-store.ts';
import { changeDevice } from './change-device.ts';
import type { DevicesDeps } from './deps.ts';

/** Revokes the tokens of an agent before the answer is sent. Idempotent. */
export function revokeAgentToken(
  deps: Pick<DevicesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.DevicesService.revokeAgentToken> {
  return async (request, context) => {
    const revoked = await changeDevice(deps, context, request.deviceId, async (tx, device) => {
      const ended = await endAgentTokens(tx, device.id, 'revoked');
      await deps.emitter.audit(tx, context, {});
      return ended;
    });
    await deps.liveness.revoke(revoked);
    return {};
  };
}
