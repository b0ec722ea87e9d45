import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import type { RequestsDeps } from './deps.ts';
import { seesAllRequests } from './may-see.ts';
import { requestMessage } from './request-view.ts';

export function getRequest(deps: RequestsDeps): Handler<typeof workflow.RequestsService.getRequest> {
  return async (request, context) => {
    const id = request.requestId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
      const { actor } = context;
      if (!row || (row.requester_id !== actor.userId && !seesAllRequests(actor)))
        throw ClavigerError.notFound();
      return { request: await requestMessage(reader, row, await transactionTimeMs(reader)) };
    });
  };
}
