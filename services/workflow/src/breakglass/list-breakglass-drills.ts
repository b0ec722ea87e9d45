import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { BreakglassDeps } from './deps.ts';
import { drillMessage } from './drill-view.ts';

const SORT: SortFields = { runAt: { column: 'run_at', type: 'timestamptz' } };

/** Newest first unless the request sorts. */
export function listBreakglassDrills(
  deps: BreakglassDeps,
): Handler<typeof breakglass.BreakglassService.listBreakglassDrills> {
  return (request, { tenantId }) =>
    deps.database.readTenant(tenantId, (reader) => {
      const rows = reader.selectFrom('breakglass_drills');
      return pageOf({
        request,
        query: rows.selectAll(),
        sort: SORT,
        defaultSort: 'runAt',
        defaultOrder: request.sortBy ? 'asc' : 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: drillMessage,
      });
    });
}
