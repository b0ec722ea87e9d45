import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { currentSites } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DeviceGroupsDeps } from './deps.ts';
import { lockGroup } from './device-groups-store.ts';

/** Deletes the group and its policies; its devices remain. */
export function deleteDeviceGroup(
  deps: Pick<DeviceGroupsDeps, 'database' | 'emitter'>,
): Handler<typeof devices.DeviceGroupsService.deleteDeviceGroup> {
  return async (request, context) => {
    const groupId = request.groupId;
    context.auditSubject = { type: 'device-group', id: groupId };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      const { name, deviceIds } = await lockGroup(tx, groupId, await currentSites(tx, context));
      await tx.deleteFrom('device_groups').where('id', '=', groupId).execute();
      await deps.emitter.audit(tx, context, { details: { name, devices: deviceIds.length } });
    });
    return {};
  };
}
