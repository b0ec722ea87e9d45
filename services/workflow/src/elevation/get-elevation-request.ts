import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import type { ElevationDeps } from './deps.ts';
import { elevationMessage } from './elevation-view.ts';
import { maySeeElevation } from './may-see-elevation.ts';

export function getElevationRequest(
  deps: Pick<ElevationDeps, 'database'>,
): Handler<typeof elevation.ElevationRequestsService.getElevationRequest> {
  return async (request, context) => {
    const id = request.id;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader
        .selectFrom('elevation_requests')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      if (!row || !maySeeElevation(context.actor, row)) throw ClavigerError.notFound();
      return { request: elevationMessage(row, await presentMs(reader), context.actor) };
    });
  };
}
