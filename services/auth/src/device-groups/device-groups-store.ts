import { rowMapper } from '@claviger/contracts';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import { anyOf, isUniqueViolation, type Reader, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { requireSite, type Sites, siteDenied } from '../sites/actor-sites.ts';

/** Groups belong to no site; the count includes only devices in the given sites. */
export function groupsQuery(reader: Reader<AuthSchema>, sites: Sites) {
  const seen = sites === undefined ? sql`` : sql` AND d.site_id = ANY(${[...sites]}::uuid[])`;
  return reader.selectFrom('device_groups').select([
    'device_groups.id',
    'device_groups.name',
    'device_groups.created_at',
    'device_groups.updated_at',
    'device_groups.row_version',
    sql<number>`(SELECT count(*) FROM device_group_members m
        JOIN devices d ON d.tenant_id = m.tenant_id AND d.id = m.device_id
        WHERE m.tenant_id = device_groups.tenant_id AND m.group_id = device_groups.id${seen})`.as('devices'),
  ]);
}

export type GroupRow = Awaited<ReturnType<ReturnType<typeof groupsQuery>['executeTakeFirstOrThrow']>>;

export const groupMessage: (row: GroupRow) => devices.DeviceGroup = rowMapper<devices.DeviceGroup>(
  'claviger.auth.v1.DeviceGroup',
);

export async function readGroup(
  reader: Reader<AuthSchema>,
  groupId: string,
  sites: Sites,
): Promise<devices.DeviceGroup> {
  const row = await groupsQuery(reader, sites).where('device_groups.id', '=', groupId).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return groupMessage(row);
}

export interface LockedGroup {
  readonly name: string;
  readonly rowVersion: number;
  readonly deviceIds: readonly string[];
}

/**
 * Locks the group until the transaction ends and returns its members. Throws `not_found`, and `site_denied`
 * if it contains devices outside `sites`, because a change of the group affects them.
 */
export async function lockGroup(tx: Tx<AuthSchema>, groupId: string, sites: Sites): Promise<LockedGroup> {
  const group = await tx
    .selectFrom('device_groups')
    .select(['name', 'row_version'])
    .where('id', '=', groupId)
    .forUpdate()
    .executeTakeFirst();
  if (!group) throw ClavigerError.notFound();
  const members = await tx
    .selectFrom('device_group_members')
    .innerJoin('devices', 'devices.id', 'device_group_members.device_id')
    .select(['devices.id', 'devices.site_id'])
    .where('device_group_members.group_id', '=', groupId)
    .orderBy('devices.id')
    .execute();
  for (const member of members) requireSite(sites, member.site_id);
  return {
    name: group.name,
    rowVersion: group.row_version,
    deviceIds: members.map((member) => member.id),
  };
}

/**
 * Replaces the members of a group that the caller has locked or inserted. Throws `invalid` for an unknown
 * device.
 */
export async function storeMembers(
  tx: Tx<AuthSchema>,
  tenantId: string,
  groupId: string,
  deviceIds: readonly string[],
  sites: Sites,
): Promise<void> {
  await tx.deleteFrom('device_group_members').where('group_id', '=', groupId).execute();
  const wanted = [...new Set(deviceIds)];
  if (wanted.length === 0) return;
  const rows = await tx
    .selectFrom('devices')
    .select(['id', 'site_id'])
    .where('id', '=', anyOf(wanted, 'uuid'))
    .execute();
  const siteOf = new Map(rows.map((row) => [row.id, row.site_id]));
  deviceIds.forEach((deviceId, index) => {
    const siteId = siteOf.get(deviceId);
    // The answer must not reveal whether a device outside the actor's sites exists.
    if (sites !== undefined && (!siteId || !sites.includes(siteId))) throw siteDenied();
    if (siteId === undefined) throw ClavigerError.invalid(`/deviceIds/${index}`, 'is not the id of a device');
  });
  await tx
    .insertInto('device_group_members')
    .values(wanted.map((deviceId) => ({ tenant_id: tenantId, group_id: groupId, device_id: deviceId })))
    .execute();
}

/** Converts a unique violation to `already_exists`. */
export async function orGroupExists<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('already_exists', 'A group with this name already exists.', {
      code: 'device_group_exists',
    });
  }
}
