import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import type { DevicesDeps } from './deps.ts';
import { readDevice } from './devices-store.ts';

export function getDevice(
  deps: Pick<DevicesDeps, 'database'>,
): Handler<typeof devices.DevicesService.getDevice> {
  return async (request, context) => {
    const deviceId = request.deviceId;
    return {
      device: await deps.database.readTenant(context.tenantId, (reader) =>
        readDevice(reader, deviceId, context.actor.siteIds),
      ),
    };
  };
}
