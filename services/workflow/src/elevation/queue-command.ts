import { randomUUID } from 'node:crypto';
import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { COMMANDS_CHANNEL } from './command-notifier.ts';
import type { CommandType, ElevationRow } from './elevation-schema.ts';

export const DEFAULT_TIMEOUT_MS = 8_000;

/**
 * Queues a command for a device's agent; the commit notifies a waiting agent. Returns the id of the command.
 */
export async function queueCommand(
  tx: Tx<WorkflowSchema>,
  row: Pick<ElevationRow, 'tenant_id' | 'id' | 'device_id'>,
  type: CommandType,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<string> {
  const id = randomUUID();
  await tx
    .insertInto('device_commands')
    .values({
      tenant_id: row.tenant_id,
      id,
      device_id: row.device_id!,
      request_id: row.id,
      type,
      timeout_ms: timeoutMs,
    })
    .execute();
  await sql`SELECT pg_notify(${COMMANDS_CHANNEL}, ${row.device_id})`.execute(tx);
  return id;
}

/** Queues the command to undo a revoked elevation if its device has received the go signal. */
export async function takeBack(tx: Tx<WorkflowSchema>, row: ElevationRow): Promise<string | undefined> {
  const told = await tx
    .selectFrom('device_commands')
    .select('id')
    .where('request_id', '=', row.id)
    .where('type', '=', 'actuate_elevation')
    .executeTakeFirst();
  return told && queueCommand(tx, row, 'revoke_elevation');
}
