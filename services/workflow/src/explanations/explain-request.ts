import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { ClavigerError } from '@claviger/errors';
import { type Handler, permits } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import { seesAllRequests } from '../requests/may-see.ts';
import { statusAt } from '../requests/request-machine.ts';
import { decisionsOf, stateOf } from '../requests/request-store.ts';
import { findEvaluation } from '../rules/record-evaluation.ts';
import type { DecisionRow, RequestRow } from '../schema.ts';
import type { ExplanationsDeps } from './deps.ts';
import { explanationMessage } from './explanation-message.ts';

/**
 * Explains the requirements of a request for access and lists the decisions of people, for users who see the
 * request.
 */
export function explainRequest(
  deps: ExplanationsDeps,
): Handler<typeof explanations.ExplanationsService.explainRequest> {
  return async (request, context) => {
    const id = request.requestId;
    const { actor } = context;
    const mayReadRules = permits(actor.permissions, 'access-policies.read');
    const input = await deps.database.readTenant(context.tenantId, async (reader) => {
      const row = await reader.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row || (row.requester_id !== actor.userId && !seesAllRequests(actor)))
        throw ClavigerError.notFound();
      const decisions = await decisionsOf(reader, [id]);
      return {
        requestId: id,
        kind: 'access' as const,
        status: statusAt(stateOf(row, decisions), await presentMs(reader)),
        decisions: decisions.map((each) => decisionMessage(row, each)),
        stored: await findEvaluation(reader, id),
      };
    });
    const ruleSet = mayReadRules ? await deps.decidedBy(context.tenantId, input.stored) : undefined;
    return {
      success: true,
      explanation: await explanationMessage({ ...input, ruleSet, mayReadRules, actor }),
    };
  };
}

function decisionMessage(request: RequestRow, row: DecisionRow): explanations.ExplainedDecision {
  return {
    by: 'human',
    name: row.user_name,
    decision: row.decision === 'approve' ? 'approved' : 'denied',
    reason: row.comment,
    decidedAt: row.decided_at.toISOString(),
    step: request.steps[row.step]?.name ?? '',
  };
}
