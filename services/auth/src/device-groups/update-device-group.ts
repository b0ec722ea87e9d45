import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../row-version.ts';
import { currentSites } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DeviceGroupsDeps } from './deps.ts';
import { lockGroup, orGroupExists, readGroup } from './device-groups-store.ts';

export function updateDeviceGroup(
  deps: Pick<DeviceGroupsDeps, 'database' | 'emitter'>,
): Handler<typeof devices.DeviceGroupsService.updateDeviceGroup> {
  return async (request, context) => {
    const groupId = request.groupId;
    context.auditSubject = { type: 'device-group', id: groupId };
    const group = await orGroupExists(
      deps.database.withTenant(context.tenantId, async (tx) => {
        await requireCurrentActor(tx, context);
        const sites = await currentSites(tx, context);
        const before = await lockGroup(tx, groupId, sites);
        requireRowVersion(request.rowVersion, before.rowVersion);
        await tx
          .updateTable('device_groups')
          .set({
            ...(request.name === undefined ? {} : { name: request.name }),
            updated_at: sql<Date>`now()`,
            row_version: sql<number>`row_version + 1`,
          })
          .where('id', '=', groupId)
          .execute();
        await deps.emitter.audit(tx, context, { request, details: { nameBefore: before.name } });
        return readGroup(tx, groupId, sites);
      }),
    );
    return { group };
  };
}
