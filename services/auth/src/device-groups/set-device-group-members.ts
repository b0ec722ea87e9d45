import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../row-version.ts';
import { currentSites } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DeviceGroupsDeps } from './deps.ts';
import { lockGroup, readGroup, storeMembers } from './device-groups-store.ts';

/** Replaces all members. Added and removed devices must be within the actor's sites. */
export function setDeviceGroupMembers(
  deps: Pick<DeviceGroupsDeps, 'database' | 'emitter'>,
): Handler<typeof devices.DeviceGroupsService.setDeviceGroupMembers> {
  return async (request, context) => {
    const groupId = request.groupId;
    context.auditSubject = { type: 'device-group', id: groupId };
    const group = await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      const sites = await currentSites(tx, context);
      const before = await lockGroup(tx, groupId, sites);
      requireRowVersion(request.rowVersion, before.rowVersion);
      await storeMembers(tx, context.tenantId, groupId, request.deviceIds, sites);
      await tx
        .updateTable('device_groups')
        .set({ updated_at: sql<Date>`now()`, row_version: sql<number>`row_version + 1` })
        .where('id', '=', groupId)
        .execute();
      await deps.emitter.audit(tx, context, {
        details: {
          name: before.name,
          added: request.deviceIds.filter((id) => !before.deviceIds.includes(id)),
          removed: before.deviceIds.filter((id) => !request.deviceIds.includes(id)),
        },
      });
      return readGroup(tx, groupId, sites);
    });
    return { group };
  };
}
