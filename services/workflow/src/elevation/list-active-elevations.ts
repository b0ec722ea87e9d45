import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { presentMs } from '../database-clock.ts';
import type { ElevationDeps } from './deps.ts';
import { elevationMessage } from './elevation-view.ts';
import { withinSitesOf } from './list-elevation-requests.ts';

const MAX_ACTIVE = 500;

/** Active elevations, the earliest end first. */
export function listActiveElevations(
  deps: Pick<ElevationDeps, 'database'>,
): Handler<typeof elevation.ElevationRequestsService.listActiveElevations> {
  return async (_, context) =>
    deps.database.readTenant(context.tenantId, async (reader) => {
      const nowMs = await presentMs(reader);
      const rows = await withinSitesOf(reader.selectFrom('elevation_requests'), context.actor)
        .selectAll()
        // Literals, because the partial index does not match parameters.
        .where(sql<boolean>`status IN ('approved', 'auto_approved', 'actuating')`)
        .where('expires_at', '>', new Date(nowMs))
        .orderBy('expires_at')
        .orderBy('id')
        .limit(MAX_ACTIVE)
        .execute();
      return { success: true, active: rows.map((row) => elevationMessage(row, nowMs, context.actor)) };
    });
}
