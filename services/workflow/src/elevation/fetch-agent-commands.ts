import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { anyOf, isActiveTenant, type Reader } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { ElevationDeps } from './deps.ts';
import { ownDevice } from './own-device.ts';

/** Reserved for sending the answer in time. */
const MARGIN_MS = 1_000;
const MAX_COMMANDS = 100;

/** Waits until there is a command for the device, the time is up, or this process ends. */
export function fetchAgentCommands(
  deps: ElevationDeps,
): Handler<typeof elevation.AgentElevationsService.fetchAgentCommands> {
  return async (request, context) => {
    const { tenantId } = context;
    const deviceId = await ownDevice(deps, context, request.id);
    const endMs = Math.min(
      Date.now() + (request.waitSeconds ?? 0) * 1_000,
      context.deadline.getTime() - MARGIN_MS,
    );
    for (;;) {
      // Waiting starts before the read, so that a command queued in between is noticed.
      using waiting = deps.notifier.wait(deviceId, {
        timeoutMs: Math.max(0, endMs - Date.now()),
        signal: context.signal,
      });
      const commands = await openCommands(deps, tenantId, deviceId);
      if (commands.length > 0 || !(await waiting.notified)) return { commands };
    }
  };
}

/**
 * The open commands of a device in the order of queueing, marked as delivered. Most reads find none and need
 * no transaction; otherwise the commands are read again in the transaction that delivers them.
 */
async function openCommands(
  { database }: Pick<ElevationDeps, 'database'>,
  tenantId: string,
  deviceId: string,
): Promise<elevation.AgentCommand[]> {
  const seen = await database.readTenant(tenantId, (reader) => openOf(reader, deviceId));
  if (seen.length === 0) return [];
  const open = await database.withTenant(tenantId, async (tx) => {
    if (!(await isActiveTenant(tx))) return [];
    const still = await openOf(tx, deviceId);
    const first = still.filter((each) => each.first_delivered_at === null).map((each) => each.id);
    if (first.length > 0)
      await tx
        .updateTable('device_commands')
        .set({ first_delivered_at: sql<Date>`clock_timestamp()` })
        .where('id', '=', anyOf(first, 'uuid'))
        .where('first_delivered_at', 'is', null)
        .where('outcome', 'is', null)
        .execute();
    return still;
  });
  return open.map(({ id, type, elevationRequestId, timeoutMs }) => ({
    id,
    type,
    elevationRequestId,
    timeoutMs,
  }));
}

/** Commands without a reported outcome: to actuate while the elevation is active, to revoke for a day. */
function openOf(reader: Reader<WorkflowSchema>, deviceId: string) {
  return reader
    .selectFrom('device_commands as command')
    .innerJoin('elevation_requests as request', (join) =>
      join
        .onRef('request.tenant_id', '=', 'command.tenant_id')
        .onRef('request.id', '=', 'command.request_id'),
    )
    .select([
      'command.id',
      'command.type',
      'command.request_id as elevationRequestId',
      'command.timeout_ms as timeoutMs',
      'command.first_delivered_at',
    ])
    .where('command.device_id', '=', deviceId)
    .where('command.outcome', 'is', null)
    .where(
      sql<boolean>`CASE command.type
        WHEN 'actuate_elevation' THEN request.status = 'actuating' AND request.expires_at > clock_timestamp()
        ELSE command.queued_at > clock_timestamp() - interval '1 day' END`,
    )
    .orderBy('command.queued_at')
    .orderBy('command.id')
    .limit(MAX_COMMANDS)
    .execute();
}
