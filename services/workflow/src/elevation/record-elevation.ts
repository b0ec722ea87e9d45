import { requireActiveTenant, type Tx } from '@claviger/database';
import type { Evaluation } from '@claviger/evaluator';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireActiveAccount } from '../accounts/require-active-account.ts';
import { askedElevation } from '../asked/asked-elevation.ts';
import { minutesWithin } from '../asked/beyond-asked.ts';
import type { Decided } from '../rules/decider.ts';
import { recordEvaluation } from '../rules/record-evaluation.ts';
import type { WorkflowSchema } from '../schema.ts';
import { announce } from './announce.ts';
import type { ElevationDeps } from './deps.ts';
import type { ElevationRow, NewElevation } from './elevation-schema.ts';
import { approvedUntil, present } from './move-elevation.ts';
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
 * Stores a new request with its decision: row, evaluation, audit event and announcement, in the caller's
 * transaction. Without a clear approval or denial by a rule, the request waits for a person. Throws unless
 * the tenant is active now, because an automatic approval would outlive the suspension.
 */
export async function recordElevation(
  deps: Pick<ElevationDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  context: CallContext,
  { asked, decided, terms }: { asked: AskedFor; decided: Decided; terms: Terms },
): Promise<ElevationRow> {
  const { evaluation } = decided;
  const status = statusOf(evaluation, asked);
  const ruleMinutes = evaluation.approvalDurationMinutes ?? terms.defaultApprovalMinutes;
  const minutes = minutesWithin(askedElevation(asked, terms.defaultApprovalMinutes), ruleMinutes);
  await requireActiveTenant(tx);
  if (asked.requester_id) await requireActiveAccount(tx, asked.requester_id);
  if (status === 'pending') await refuseTooMany(tx, (asked.requester_id ?? asked.device_id)!);
  const row = await tx
    .insertInto('elevation_requests')
    .values({
      ...asked,
      status,
      ...ruleOf(evaluation, status),
      rule_set_version: evaluation.ruleSetVersion,
      decided_at: status === 'pending' ? null : asked.requested_at,
      expires_at:
        status === 'denied'
          ? null
          : status === 'pending'
            ? sql<Date>`${present} + make_interval(mins => ${terms.pendingMinutes})`
            : approvedUntil(minutes, asked.execution_expires_at ?? null),
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

/** A rule approves a tool action only with the requested digest. */
function statusOf({ verdict, actionDigest }: Evaluation, asked: AskedFor): ElevationRow['status'] {
  if (verdict === 'denied') return 'denied';
  return verdict === 'auto_approved' && actionDigest === (asked.action_digest ?? null) ? verdict : 'pending';
}

export function subjectOf(row: Pick<ElevationRow, 'id' | 'device_id'>): {
  type: string;
  id: string;
  resourceId?: string;
} {
  return { type: 'elevation', id: row.id, ...(row.device_id ? { resourceId: row.device_id } : {}) };
}

/** The details of a request in audit events. */
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

/** The list entry or rule that decided, or that sent the request to a person. */
function ruleOf(
  evaluation: Evaluation,
  status: ElevationRow['status'],
): Pick<NewElevation, 'decision_source' | 'matched_policy_name' | 'pam_rule_id' | 'pam_rule_name'> {
  const { decidingRule, trace } = evaluation;
  const stage = decidingRule && trace.steps.findLast((step) => step.ruleId === decidingRule.id)?.stage;
  return {
    decision_source:
      status === 'pending' ? null : stage === 'software_policy' ? 'software_policy' : 'pam_rule',
    matched_policy_name: stage === 'software_policy' ? decidingRule!.name : null,
    pam_rule_id: decidingRule && stage !== 'software_policy' ? decidingRule.id : null,
    pam_rule_name: decidingRule && stage !== 'software_policy' ? decidingRule.name : null,
  };
}
