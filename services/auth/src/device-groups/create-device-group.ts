import { randomUUID } from 'node:crypto';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { currentSites } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DeviceGroupsDeps } from './deps.ts';
import { orGroupExists, readGroup, storeMembers } from './device-groups-store.ts';

export function createDeviceGroup(
  deps: Pick<DeviceGroupsDeps, 'database' | 'emitter'>,
): Handler<typeof devices.DeviceGroupsService.createDeviceGroup> {
  return async (request, context) => {
    const { tenantId } = context;
    const id = randomUUID();
    const group = await orGroupExists(
      deps.database.withTenant(tenantId, async (tx) => {
        await requireCurrentActor(tx, context);
        const sites = await currentSites(tx, context);
        await tx
          .insertInto('device_groups')
          .values({ tenant_id: tenantId, id, name: request.name })
          .execute();
        await storeMembers(tx, tenantId, id, request.deviceIds, sites);
        await deps.emitter.audit(tx, context, {
          subject: { type: 'device-group', id },
          details: { name: request.name, devices: request.deviceIds.length },
        });
        return readGroup(tx, id, sites);
      }),
    );
    return { group };
  };
}
