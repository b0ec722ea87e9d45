import type { workflow } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { settleRequest } from './settle-request.ts';

/** Denies: final at once, whatever was approved before. */
export function denyRequest(deps: WorkflowDeps): Handler<typeof workflow.RequestsServiceService.denyRequest> {
  return async (request, context) => {
    const settled = await settleRequest(deps, context, {
      requestId: request.requestId,
      decision: 'deny',
      comment: request.comment,
      digest: request.digest,
      durationMinutes: undefined,
    });
    return { request: settled.request };
  };
}
