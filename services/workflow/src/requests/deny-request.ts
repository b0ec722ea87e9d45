import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Handler } from '@claviger/service-kit';
import type { RequestsDeps } from './deps.ts';
import { settleRequest } from './settle-request.ts';

/** Denies a request. The denial is final at once, even after earlier approvals. */
export function denyRequest(deps: RequestsDeps): Handler<typeof workflow.RequestsService.denyRequest> {
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
