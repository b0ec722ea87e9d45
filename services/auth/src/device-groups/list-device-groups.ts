import type * as devices from '@claviger/contracts/auth/v1/devices';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { DeviceGroupsDeps } from './deps.ts';
import { groupMessage, groupsQuery } from './device-groups-store.ts';

const SORT: SortFields = {
  name: { column: 'device_groups.name', type: 'text' },
  createdAt: { column: 'device_groups.created_at', type: 'timestamptz' },
};

export function listDeviceGroups(
  deps: Pick<DeviceGroupsDeps, 'database'>,
): Handler<typeof devices.DeviceGroupsService.listDeviceGroups> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      const query = groupsQuery(reader, context.actor.siteIds).$if(request.search !== '', (all) =>
        all.where('device_groups.name', 'ilike', likeTerm(request.search)),
      );
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'device_groups.id', type: 'uuid' },
        map: groupMessage,
      });
    });
}
