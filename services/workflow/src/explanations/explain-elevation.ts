import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { statusAt } from '../elevation/elevation-machine.ts';
import type { ElevationRow } from '../elevation/elevation-schema.ts';
import { mayReadRulesOf, maySeeElevation } from '../elevation/may-see-elevation.ts';
import { readElevation } from '../elevation/read-elevation.ts';
import { findEvaluation } from '../rules/record-evaluation.ts';
import type { ExplanationsDeps } from './deps.ts';
import { explanationMessage } from './explanation-message.ts';

/**
 * Explains the decision on an elevation and lists later decisions of people, for users who see the request.
 */
export function explainElevation(
  deps: ExplanationsDeps,
): Handler<typeof explanations.ExplanationsService.explainElevation> {
  return async (request, context) => {
    const id = request.id;
    const { actor } = context;
    const input = await deps.database.readTenant(context.tenantId, async (reader) => {
      const { row, nowMs } = await readElevation(reader, id);
      if (!maySeeElevation(actor, row)) throw ClavigerError.notFound();
      const mayReadRules = mayReadRulesOf(actor, row);
      return {
        mayReadRules,
        requestId: id,
        kind: row.flow_type === 'ai_tool_action' ? ('tool' as const) : ('elevation' as const),
        status: statusAt(row, nowMs),
        decisions: decisionsOf(row, mayReadRules),
        stored: await findEvaluation(reader, id),
      };
    });
    const ruleSet = input.mayReadRules ? await deps.decidedBy(context.tenantId, input.stored) : undefined;
    return { success: true, explanation: await explanationMessage({ ...input, ruleSet, actor }) };
  };
}

function decisionsOf(row: ElevationRow, mayReadRules: boolean): explanations.ExplainedDecision[] {
  const wasRevoked = row.revoked_by !== null;
  const decisions: explanations.ExplainedDecision[] = [];
  if (row.decided_at) {
    decisions.push({
      ...whoDecided(row, mayReadRules),
      // A revocation overwrites the reason of the first decision.
      reason: wasRevoked ? '' : (row.decision_reason ?? ''),
      decidedAt: row.decided_at.toISOString(),
      step: '',
    });
  }
  if (wasRevoked) {
    decisions.push({
      by: 'human',
      name: row.revoked_by_name ?? '',
      decision: 'revoked',
      reason: row.decision_reason ?? '',
      decidedAt: row.ended_at?.toISOString(),
      step: '',
    });
  }
  return decisions;
}

function whoDecided(
  row: ElevationRow,
  mayReadRules: boolean,
): Pick<explanations.ExplainedDecision, 'by' | 'name' | 'decision'> {
  if (row.decision_source === 'human') {
    return {
      by: 'human',
      name: row.approved_by_name ?? row.denied_by_name ?? '',
      decision: row.denied_by === null ? 'approved' : 'denied',
    };
  }
  // Only the evaluator denies at the time of the request, and an approved elevation is never denied later.
  const decision = row.status === 'denied' ? 'denied' : 'auto_approved';
  // The source of the decision, a rule or a list, would disclose rules.
  if (!mayReadRules) return { by: 'policy', name: '', decision };
  return {
    by: row.decision_source ?? '',
    name: row.matched_policy_name ?? row.pam_rule_name ?? '',
    decision,
  };
}
