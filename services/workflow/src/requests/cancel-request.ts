import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { RequestsDeps } from './deps.ts';
import { seesAllRequests } from './may-see.ts';
import { refusalError } from './refusals.ts';
import { cancel } from './request-machine.ts';
import { lockRequest } from './request-store.ts';
import { requestMessage } from './request-view.ts';

/** The requester cancels a pending request. */
export function cancelRequest(deps: RequestsDeps): Handler<typeof workflow.RequestsService.cancelRequest> {
  return async (request, context) => {
    const id = request.requestId;
    context.auditSubject = { type: 'request', id };
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const { row, state, nowMs } = await lockRequest(tx, id);
      const { actor } = context;
      if (row.requester_id !== actor.userId && !seesAllRequests(actor)) throw ClavigerError.notFound();
      context.auditSubject = {
        type: 'request',
        id,
        ...(row.resource_id ? { resourceId: row.resource_id } : {}),
      };
      const outcome = cancel(state, actor.userId, nowMs);
      if (outcome.kind === 'refused') throw refusalError(outcome.refusal);
      const updated = await tx
        .updateTable('requests')
        .set({ status: 'cancelled', decided_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())` })
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .returningAll()
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, { details: { entryId: row.entry_id, digest: row.digest } });
      return { request: await requestMessage(tx, updated, nowMs) };
    });
  };
}
