import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Handler } from '@claviger/service-kit';
import { activateGrant } from '../grants/activate-grant.ts';
import type { RequestsDeps } from './deps.ts';
import { settleRequest } from './settle-request.ts';

/**
 * Approves the current step. The last approval creates the grant; it becomes active when the vault has
 * confirmed it, usually before this call returns.
 */
export function approveRequest(deps: RequestsDeps): Handler<typeof workflow.RequestsService.approveRequest> {
  return async (request, context) => {
    const settled = await settleRequest(deps, context, {
      requestId: request.requestId,
      decision: 'approve',
      comment: request.comment,
      digest: request.digest,
      durationMinutes: request.durationMinutes,
    });
    if (settled.newGrant) await activateGrant(deps, context, settled.newGrant);
    return { request: settled.request };
  };
}
