import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { readConfiguration } from '../configuration-policies/read-configuration.ts';
import type { DevicesDeps } from './deps.ts';

export function getDeviceConfiguration(
  deps: Pick<DevicesDeps, 'database'>,
): Handler<typeof devices.DevicesService.getDeviceConfiguration> {
  return async (request, context) => {
    const deviceId = request.deviceId;
    const configuration = await deps.database.readTenant(context.tenantId, (reader) =>
      readConfiguration(reader, deviceId, context.actor.siteIds),
    );
    if (!configuration) throw ClavigerError.notFound();
    return { configuration };
  };
}
