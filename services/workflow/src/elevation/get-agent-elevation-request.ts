import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import type { ElevationDeps } from './deps.ts';
import { statusAt } from './elevation-machine.ts';
import { ownDevice } from './own-device.ts';

/** The status of a prompt of the calling device. */
export function getAgentElevationRequest(
  deps: Pick<ElevationDeps, 'database' | 'devices'>,
): Handler<typeof elevation.AgentElevationsService.getAgentElevationRequest> {
  return async (request, context) => {
    const deviceId = await ownDevice(deps, context, request.id);
    const id = request.requestId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader
        .selectFrom('elevation_requests')
        .select(['id', 'status', 'expires_at'])
        .where('id', '=', id)
        .where('device_id', '=', deviceId)
        .executeTakeFirst();
      if (!row) throw ClavigerError.notFound();
      const status = statusAt(row, await presentMs(reader));
      return { id: row.id, status, expiresAt: row.expires_at?.toISOString() };
    });
  };
}
