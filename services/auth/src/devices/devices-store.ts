import { rowMapper } from '@claviger/contracts';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema, DeviceStatus } from '../schema.ts';
import type { Sites } from '../sites/actor-sites.ts';

const LIVE = sql`t.tenant_id = devices.tenant_id AND t.device_id = devices.id AND t.revoked_at IS NULL
  AND (t.expires_at IS NULL OR t.expires_at > now())`;

/** Devices in the given sites, with the columns that the API shows. */
export function devicesQuery(reader: Reader<AuthSchema>, sites: Sites) {
  return reader
    .selectFrom('devices')
    .leftJoin('sites', 'sites.id', 'devices.site_id')
    .select([
      'devices.id',
      'devices.hostname',
      'devices.site_id',
      'sites.name as site_name',
      'devices.status',
      'devices.os',
      'devices.linked_to_resource',
      'devices.last_seen_at',
      'devices.enrolled_by',
      'devices.created_at',
      'devices.updated_at',
      'devices.decommissioned_at',
      'devices.row_version',
      sql<
        string[]
      >`coalesce((SELECT array_agg(m.group_id::text ORDER BY m.group_id) FROM device_group_members m
        WHERE m.tenant_id = devices.tenant_id AND m.device_id = devices.id), '{}')`.as('group_ids'),
      sql<Date | null>`(SELECT max(t.created_at) FROM agent_tokens t WHERE ${LIVE})`.as('token_created_at'),
    ])
    .$if(sites !== undefined, (query) => query.where(inSites(sites ?? [])));
}

/** Matches nothing for an empty list. */
export const inSites = (siteIds: readonly string[]) =>
  sql<boolean>`devices.site_id = ANY(${[...siteIds]}::uuid[])`;

export type DeviceRow = Awaited<ReturnType<ReturnType<typeof devicesQuery>['executeTakeFirstOrThrow']>>;

const mapDevice = rowMapper<devices.Device>('claviger.auth.v1.Device');

export function deviceMessage(row: DeviceRow): devices.Device {
  return mapDevice({
    ...row,
    has_token: row.token_created_at !== null,
  });
}

/** Throws `not_found` for an unknown device, one of another tenant or one outside `sites`. */
export async function readDevice(
  reader: Reader<AuthSchema>,
  deviceId: string,
  sites: Sites,
): Promise<devices.Device> {
  const row = await devicesQuery(reader, sites).where('devices.id', '=', deviceId).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return deviceMessage(row);
}

export interface LockedDevice {
  readonly id: string;
  readonly siteId: string | null;
  readonly status: DeviceStatus;
  readonly rowVersion: number;
}

/**
 * Locks the device until the transaction ends. Call after the actor's session is locked, never before. Throws
 * `not_found`.
 */
export async function lockDevice(tx: Tx<AuthSchema>, deviceId: string): Promise<LockedDevice> {
  const row = await tx
    .selectFrom('devices')
    .select(['id', 'site_id', 'status', 'row_version'])
    .where('id', '=', deviceId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return { id: row.id, siteId: row.site_id, status: row.status, rowVersion: row.row_version };
}

export function requireInService(device: Pick<LockedDevice, 'status'>): void {
  if (device.status === 'active') return;
  throw new ClavigerError('conflict', 'The device was decommissioned.', {
    code: 'device_decommissioned',
    hint: 'Enrol the device again.',
  });
}
