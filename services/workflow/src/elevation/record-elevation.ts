import { requireActiveTenant, type Tx } from '@claviger/database';
import type { Evaluation } from '@claviger/evaluator';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { Decided } from '../rules/decider.ts';
import { recordEvaluation } from '../rules/record-evaluation.ts';
import type { WorkflowSchema } from '../schema.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './elevation-deps.ts';
import type { ElevationRow, NewElevation } from './elevation-schema.ts';
import { refuseTooMany } from './refuse-too-many.ts';

type Decision =
  | 'status'
  | 'decided_at'
  | 'expires_at'
  | 'ended_at'
  | 'decision_source'
  | 'matched_policy_name'
  | 'pam_rule_id'
  | 'pam_rule_name'
  | 'rule_set_version';

export type AskedFor = Omit<NewElevation, Decision>;

export interface Terms {
  readonly defaultApprovalMinutes: number;
  readonly pendingMinutes: number;
}

/**
 * Writes a new request with what was decided about it: its row, its evaluation, the audit event and the announcement, in the
 * caller's transaction. Whatever is no clear yes or no of a rule waits for a person. Throws unless the tenant is active at
 * this moment: what a rule approved would outlive the suspension.
 */
export async function recordElevation(
  deps: Pick<ElevationDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  { asked, decided, terms }: { asked: AskedFor; decided: Decided; terms: Terms },
): Promise<ElevationRow> {
  const { evaluation } = decided;
  const status =
    evaluation.verdict === 'auto_approved' || evaluation.verdict === 'denied'
      ? evaluation.verdict
      : 'pending';
  const ruleMinutes = evaluation.approvalDurationMinutes ?? terms.defaultApprovalMinutes;
  const minutes =
    status === 'pending'
      ? terms.pendingMinutes
      : Math.min(asked.requested_minutes ?? ruleMinutes, ruleMinutes);
  await requireActiveTenant(tx);
  if (status === 'pending') await refuseTooMany(tx, (asked.requester_id ?? asked.device_id)!);
  const row = await tx
    .insertInto('elevation_requests')
    .values({
      ...asked,
      status,
      ...ruleOf(evaluation),
      rule_set_version: evaluation.ruleSetVersion,
      decided_at: status === 'pending' ? null : asked.requested_at,
      expires_at:
        status === 'denied'
          ? null
          : sql<Date>`date_trunc('milliseconds', clock_timestamp()) + make_interval(mins => ${minutes})`,
      ended_at: status === 'denied' ? asked.requested_at : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await recordEvaluation(tx, { tenantId: row.tenant_id, requestId: row.id, label: labelOf(row), decided });
  context.auditSubject = subjectOf(row);
  await deps.emitter.audit(tx, context, {
    subject: subjectOf(row),
    reason: row.reason,
    details: { ...factsOf(row), because: evaluation.because },
  });
  await announce(deps.emitter, tx, row, status === 'pending' ? 'requested' : status);
  return row;
}

export function subjectOf(row: Pick<ElevationRow, 'id' | 'device_id'>): {
  type: string;
  id: string;
  resourceId?: string;
} {
  return { type: 'elevation', id: row.id, ...(row.device_id ? { resourceId: row.device_id } : {}) };
}

/** What audit events tell of a request. */
export function factsOf(row: ElevationRow): Record<string, unknown> {
  return {
    flowType: row.flow_type,
    status: row.status,
    deviceId: row.device_id,
    deviceHostname: row.device_hostname,
    siteId: row.site_id,
    subjectUsername: row.subject_username,
    subjectUserId: row.subject_user_id,
    targetExecutablePath: row.target_executable_path,
    targetExecutableHash: row.target_executable_hash,
    targetExecutableSigner: row.target_executable_signer,
    toolName: row.tool_name,
    riskTier: row.risk_tier,
    actionDigest: row.action_digest,
    commandLineSha256: row.command_line_sha256,
    decisionSource: row.decision_source,
    ruleId: row.pam_rule_id,
    matchedPolicyName: row.matched_policy_name,
    ruleSetVersion: row.rule_set_version,
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

function labelOf(row: ElevationRow): string {
  const wanted = row.tool_name ?? row.target_executable_path ?? 'administrator';
  return [row.subject_username, wanted, row.device_hostname].filter(Boolean).join(' · ').slice(0, 500);
}

/** Which entry of the lists or which rule has decided, or sends the request to a person. */
function ruleOf(
  evaluation: Evaluation,
): Pick<NewElevation, 'decision_source' | 'matched_policy_name' | 'pam_rule_id' | 'pam_rule_name'> {
  const { decidingRule, trace, verdict } = evaluation;
  const stage = decidingRule && trace.steps.findLast((step) => step.ruleId === decidingRule.id)?.stage;
  const decides = verdict === 'auto_approved' || verdict === 'denied';
  return {
    decision_source: !decides ? null : stage === 'software_policy' ? 'software_policy' : 'pam_rule',
    matched_policy_name: stage === 'software_policy' ? decidingRule!.name : null,
    pam_rule_id: decidingRule && stage !== 'software_policy' ? decidingRule.id : null,
    pam_rule_name: decidingRule && stage !== 'software_policy' ? decidingRule.name : null,
  };
}
