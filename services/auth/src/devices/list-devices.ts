import type * as devices from '@claviger/contracts/auth/v1/devices';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { DeviceStatus } from '../schema.ts';
import type { DevicesDeps } from './deps.ts';
import { deviceMessage, devicesQuery } from './devices-store.ts';

const SORT: SortFields = {
  hostname: { column: 'devices.hostname', type: 'text' },
  createdAt: { column: 'devices.created_at', type: 'timestamptz' },
  lastSeenAt: { column: 'devices.last_seen_at', type: 'timestamptz', nullable: true },
};

/** Lists devices in the sites that the actor may see. */
export function listDevices(
  deps: Pick<DevicesDeps, 'database'>,
): Handler<typeof devices.DevicesService.listDevices> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      const { search, siteId, groupId, status } = request;
      const query = devicesQuery(reader, context.actor.siteIds)
        .$if(search !== '', (all) => all.where('devices.hostname', 'ilike', likeTerm(search)))
        .$if(status !== '', (all) => all.where('devices.status', '=', status as DeviceStatus))
        .$if(siteId !== '', (all) => all.where('devices.site_id', '=', siteId))
        .$if(groupId !== '', (all) => all.where(inGroup(groupId)));
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'hostname',
        tieBreaker: { column: 'devices.id', type: 'uuid' },
        map: deviceMessage,
      });
    });
}

const inGroup = (groupId: string) =>
  sql<boolean>`EXISTS (SELECT FROM device_group_members m WHERE m.tenant_id = devices.tenant_id
    AND m.device_id = devices.id AND m.group_id = ${groupId}::uuid)`;
