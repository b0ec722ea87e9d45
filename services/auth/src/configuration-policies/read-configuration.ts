import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import { inSites } from '../devices/devices-store.ts';
import type { AuthSchema } from '../schema.ts';
import type { Sites } from '../sites/actor-sites.ts';
import { scopeIdOfPolicy } from './policies-store.ts';
import { resolveUacInterception } from './resolve-uac-interception.ts';

/**
 * Returns the effective configuration of a device and the level from which each setting comes. Undefined if
 * the device does not exist or is outside `sites`.
 */
export async function readConfiguration(
  reader: Reader<AuthSchema>,
  deviceId: string,
  sites: Sites,
): Promise<devices.DeviceConfiguration | undefined> {
  const device = await reader
    .selectFrom('devices')
    .select(['id', 'site_id'])
    .where('id', '=', deviceId)
    .$if(sites !== undefined, (query) => query.where(inSites(sites ?? [])))
    .executeTakeFirst();
  if (!device) return undefined;
  // Partner rows belong to the platform's tenant; row-level security shows only these rows of it to other
  // tenants.
  const settings = await reader
    .selectFrom('configuration_policies')
    .select(['scope', scopeIdOfPolicy.as('scopeId'), 'uac_interception_enabled as enabled'])
    .where('feature', '=', 'pam')
    .where(
      sql<boolean>`(scope IN ('partner', 'organization')
        OR site_id = ${device.site_id}::uuid
        OR device_id = ${device.id}::uuid
        OR group_id IN (SELECT m.group_id FROM device_group_members m
          WHERE m.tenant_id = configuration_policies.tenant_id AND m.device_id = ${device.id}::uuid))`,
    )
    .execute();
  const { enabled, scope, scopeId } = resolveUacInterception(settings);
  return {
    pam: { uacInterceptionEnabled: enabled },
    sources: [{ setting: 'pam.uacInterceptionEnabled', scope, scopeId }],
  };
}
