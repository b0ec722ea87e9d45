import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { endAgentTokens } from '../agents/agent-tokens-store.ts';
import { changeDevice } from './change-device.ts';
import type { DevicesDeps } from './deps.ts';
import { readDevice } from './devices-store.ts';

/** Decommissions a device, which is final. Takes effect before the answer is sent. Idempotent. */
export function decommissionDevice(
  deps: Pick<DevicesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.DevicesService.decommissionDevice> {
  return async (request, context) => {
    const { device, revoked } = await changeDevice(
      deps,
      context,
      request.deviceId,
      async (tx, before, sites) => {
        await tx
          .updateTable('devices')
          .set({
            status: 'decommissioned',
            decommissioned_at: sql<Date>`now()`,
            updated_at: sql<Date>`now()`,
            row_version: sql<number>`row_version + 1`,
          })
          .where('id', '=', before.id)
          .where('status', '=', 'active')
          .execute();
        const ended = await endAgentTokens(tx, before.id, 'decommissioned');
        await deps.emitter.audit(tx, context, {
          reason: request.reason,
          details: { repeated: before.status === 'decommissioned' },
        });
        return { device: await readDevice(tx, before.id, sites), revoked: ended };
      },
    );
    await deps.liveness.revoke(revoked);
    return { device };
  };
}
