import type { Reader, Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** A device with more users counts as shared: the rules do not receive its users. */
const MAX_TOLD = 50;

export interface SeenAtDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly userIds: readonly string[];
}

/**
 * Records the identified and possible users of a device. A row that was updated within the hour stays
 * unchanged.
 */
export async function noteDeviceUsers(
  tx: Tx<WorkflowSchema>,
  { tenantId, deviceId, userIds }: SeenAtDevice,
): Promise<void> {
  if (userIds.length === 0) return;
  // A fixed order, so that concurrent reports of one device cannot deadlock.
  const ids = [...new Set(userIds)].sort();
  await sql`INSERT INTO device_users AS known (tenant_id, device_id, user_id, last_seen_at)
    SELECT ${tenantId}::uuid, ${deviceId}::uuid, id, clock_timestamp() FROM unnest(${ids}::uuid[]) AS id
    ON CONFLICT (tenant_id, device_id, user_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
    WHERE known.last_seen_at < excluded.last_seen_at - interval '1 hour'`.execute(tx);
}

/**
 * The current users of a device: identified on it within 30 days, or its administrator now. Null if they are
 * too many.
 */
export async function usersOfDevice(
  reader: Reader<WorkflowSchema>,
  deviceId: string,
): Promise<string[] | null> {
  const { rows } = await sql<{ user_id: string }>`
    SELECT user_id FROM device_users WHERE device_id = ${deviceId}::uuid AND last_seen_at > now() - interval '30 days'
    UNION SELECT who FROM elevation_requests
      CROSS JOIN LATERAL unnest(ARRAY[subject_user_id, requester_id, requester_made_by]) AS who
      WHERE device_id = ${deviceId}::uuid AND flow_type = 'tech_jit_admin' AND who IS NOT NULL
        AND status IN ('approved', 'auto_approved', 'actuating') AND expires_at > clock_timestamp()
    LIMIT ${MAX_TOLD + 1}`.execute(reader);
  return rows.length > MAX_TOLD ? null : rows.map((row) => row.user_id);
}

/** Whether one of these people uses the device, by the same database function as the trigger. */
export async function usesDevice(
  reader: Reader<WorkflowSchema>,
  { tenantId, deviceId, userIds }: SeenAtDevice,
): Promise<boolean> {
  const { rows } = await sql<{ uses: boolean }>`
    SELECT uses_device(${tenantId}::uuid, ${deviceId}::uuid, ${[...userIds]}::uuid[]) AS uses`.execute(
    reader,
  );
  return rows[0]!.uses;
}
