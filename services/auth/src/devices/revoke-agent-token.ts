import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { endAgentTokens } from '../agents/agent-tokens-store.ts';
import type { AuthDeps } from '../deps.ts';
import { changeDevice } from './change-device.ts';

/** Takes effect before the answer. Doing it twice does no harm. */
export function revokeAgentToken(
  deps: Pick<AuthDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.DevicesService.revokeAgentToken> {
  return async (request, context) => {
    const tell = await changeDevice(deps, context, request.deviceId, async (tx, device) => {
      const ended = await endAgentTokens(tx, device.id, 'revoked');
      await deps.emitter.audit(tx, context, {});
      return ended;
    });
    await deps.liveness.revoke(tell);
    return {};
  };
}
