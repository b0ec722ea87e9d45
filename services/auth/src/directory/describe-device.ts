import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { readDevice } from '../devices/devices-store.ts';
import type { DirectoryDeps } from './deps.ts';

/** Returns the site and status of a device, and whether its agent has a live token, to other services. */
export function describeDevice(
  deps: Pick<DirectoryDeps, 'database'>,
): Handler<typeof devices.DeviceDirectoryService.describeDevice> {
  return async (request, context) => {
    if (!context.hasTenant) throw ClavigerError.invalid('', 'an internal call must name its tenant');
    const deviceId = request.deviceId;
    const { id, hostname, siteId, siteName, status, hasToken } = await deps.database.readTenant(
      context.tenantId,
      (reader) => readDevice(reader, deviceId, undefined),
    );
    return { id, hostname, siteId, siteName, status, hasToken };
  };
}
