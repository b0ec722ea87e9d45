import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { raiseDevices } from '../agents/agent-tokens-store.ts';
import { requireRowVersion } from '../row-version.ts';
import { requestedSite } from '../sites/actor-sites.ts';
import { changeDevice } from './change-device.ts';
import type { DevicesDeps } from './deps.ts';
import { readDevice, requireInService } from './devices-store.ts';

/** Absent fields stay unchanged. The agent's next call carries the new host name and site. */
export function updateDevice(
  deps: Pick<DevicesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.DevicesService.updateDevice> {
  return async (request, context) => {
    const { device, live } = await changeDevice(
      deps,
      context,
      request.deviceId,
      async (tx, before, sites) => {
        requireRowVersion(request.rowVersion, before.rowVersion);
        requireInService(before);
        const siteId =
          request.siteId === undefined ? before.siteId : await requestedSite(tx, sites, request.siteId);
        await tx
          .updateTable('devices')
          .set({
            ...(request.hostname === undefined ? {} : { hostname: request.hostname }),
            site_id: siteId,
            updated_at: sql<Date>`now()`,
            row_version: sql<number>`row_version + 1`,
          })
          .where('id', '=', before.id)
          .execute();
        const raised = await raiseDevices(tx, { deviceId: before.id });
        await deps.emitter.audit(tx, context, { request, details: { siteBefore: before.siteId ?? '' } });
        return { device: await readDevice(tx, before.id, sites), live: raised };
      },
    );
    await deps.liveness.raise(live);
    return { device };
  };
}
