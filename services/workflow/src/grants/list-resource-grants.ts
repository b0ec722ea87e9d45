import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Handler } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { GrantsDeps } from './deps.ts';
import { grantPage, withGrantStatus } from './grant-page.ts';

/**
 * Active grants on a resource, or those of the requested status. The vault checks that the resource exists.
 */
export function listResourceGrants(
  deps: GrantsDeps,
): Handler<typeof workflow.GrantsService.listResourceGrants> {
  return async (request, context) => {
    const resourceId = request.resourceId;
    await deps.vault.describeResource({ resourceId }, internalCall(context));
    return deps.database.readTenant(context.tenantId, (reader) =>
      grantPage(reader, request, (rows) =>
        withGrantStatus(rows, request.status || 'active').where('resource_id', '=', resourceId),
      ),
    );
  };
}
