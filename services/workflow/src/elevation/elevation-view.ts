import type * as elevation from '@claviger/contracts/workflow/v1/elevation';
import type { Actor } from '@claviger/service-kit';
import { statusAt } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';
import { mayReadRulesOf } from './may-see-elevation.ts';

/** A row as the API shows it to this actor, as of `nowMs` by the database's clock. */
export function elevationMessage(
  row: ElevationRow,
  nowMs: number,
  actor: Pick<Actor, 'permissions' | 'siteIds'>,
): elevation.ElevationRequest {
  return {
    id: row.id,
    orgId: row.tenant_id,
    deviceId: row.device_id ?? undefined,
    deviceHostname: row.device_hostname ?? undefined,
    siteId: row.site_id ?? undefined,
    siteName: row.site_name ?? undefined,
    flowType: row.flow_type,
    status: statusAt(row, nowMs),
    subjectUsername: row.subject_username ?? undefined,
    subjectUserId: row.subject_user_id ?? undefined,
    targetExecutablePath: row.target_executable_path ?? undefined,
    targetExecutableHash: row.target_executable_hash ?? undefined,
    targetExecutableSigner: row.target_executable_signer ?? undefined,
    parentImage: row.parent_image ?? undefined,
    reason: row.reason,
    requestedAt: row.requested_at.toISOString(),
    decidedAt: row.decided_at?.toISOString(),
    expiresAt: row.expires_at?.toISOString(),
    approvedByName: row.approved_by_name ?? undefined,
    deniedByName: row.denied_by_name ?? undefined,
    revokedByName: row.revoked_by_name ?? undefined,
    decisionReason: row.decision_reason ?? undefined,
    ...(mayReadRulesOf(actor, row) ? ruleOf(row) : hiddenRuleOf(row)),
    actuationOutcome: row.actuation_outcome ?? undefined,
    toolName: row.tool_name ?? undefined,
    riskTier: row.risk_tier ?? undefined,
    actionDigest: row.action_digest ?? undefined,
    executionExpiresAt: row.execution_expires_at?.toISOString(),
  };
}

type RuleFields = Pick<
  elevation.ElevationRequest,
  'matchedPolicyName' | 'pamRuleId' | 'pamRuleName' | 'decisionSource' | 'ruleSetVersion'
>;

function ruleOf(row: ElevationRow): RuleFields {
  return {
    matchedPolicyName: row.matched_policy_name ?? undefined,
    pamRuleId: row.pam_rule_id ?? undefined,
    pamRuleName: row.pam_rule_name ?? undefined,
    decisionSource: row.decision_source ?? undefined,
    ruleSetVersion: row.rule_set_version,
  };
}

/** That a person decided is no secret; whether a rule or a list did would tell of rules, as would how often they change. */
function hiddenRuleOf(row: ElevationRow): RuleFields {
  return {
    matchedPolicyName: undefined,
    pamRuleId: undefined,
    pamRuleName: undefined,
    decisionSource: row.decision_source === 'human' ? 'human' : undefined,
    ruleSetVersion: '',
  };
}
