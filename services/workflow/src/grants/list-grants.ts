import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { likeTerm } from '@claviger/database';
import { type Handler, permits } from '@claviger/service-kit';
import { dateRange } from '../date-range.ts';
import type { GrantsDeps } from './deps.ts';
import { type GrantRows, grantPage, withGrantStatus } from './grant-page.ts';

/** The actor's own grants; with grants.read-all all of the tenant. `from` and `to` filter by the start. */
export function listGrants(deps: GrantsDeps): Handler<typeof workflow.GrantsService.listGrants> {
  return async (request, context) => {
    const { actor } = context;
    const narrow = filterOf(request);
    return deps.database.readTenant(context.tenantId, (reader) =>
      grantPage(reader, request, (rows) =>
        narrow(
          permits(actor.permissions, 'grants.read-all') ? rows : rows.where('user_id', '=', actor.userId),
        ),
      ),
    );
  };
}

function filterOf(request: workflow.ListGrantsRequest): (rows: GrantRows) => GrantRows {
  const { from, before } = dateRange(request);
  return (all) => {
    let rows = withGrantStatus(all, request.status);
    if (from) rows = rows.where('starts_at', '>=', from);
    if (before) rows = rows.where('starts_at', '<', before);
    if (request.userId) rows = rows.where('user_id', '=', request.userId);
    if (request.resourceId) rows = rows.where('resource_id', '=', request.resourceId);
    if (request.moduleType) rows = rows.where('module_type', '=', request.moduleType);
    if (!request.search) return rows;
    const term = likeTerm(request.search);
    return rows.where((each) =>
      each.or(
        (['user_name', 'resource_name', 'entry_name', 'revoke_reason'] as const).map((column) =>
          each(column, 'ilike', term),
        ),
      ),
    );
  };
}
