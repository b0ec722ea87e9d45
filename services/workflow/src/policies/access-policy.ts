import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { ClavigerError } from '@claviger/errors';
import type { Selectable } from 'kysely';
import type { AccessPoliciesTable, AccessPolicy, Step } from '../schema.ts';

/** The policy of resources without their own policy, and of entries without a resource. */
export const DEFAULT_POLICY: AccessPolicy = {
  steps: [{ name: 'approval', quorum: 1, approverUserIds: [], approverRoles: [] }],
  maxDurationMinutes: 480,
  oneTime: true,
  rotateOnEnd: true,
  requestTtlMinutes: 24 * 60,
  rowVersion: 0,
  customised: false,
};

export function policyOf(row: Selectable<AccessPoliciesTable> | undefined): AccessPolicy {
  if (!row) return DEFAULT_POLICY;
  return {
    steps: row.steps,
    maxDurationMinutes: row.max_duration_minutes,
    oneTime: row.one_time,
    rotateOnEnd: row.rotate_on_end,
    requestTtlMinutes: row.request_ttl_minutes,
    rowVersion: row.row_version,
    customised: true,
  };
}

export function policyMessage(resourceId: string, policy: AccessPolicy): workflow.AccessPolicy {
  return {
    ...policy,
    resourceId,
    steps: policy.steps.map((step) => ({
      name: step.name,
      quorum: step.quorum,
      approverUserIds: [...step.approverUserIds],
      approverRoles: [...step.approverRoles],
    })),
  };
}

/**
 * The steps in their stored form. Throws `invalid`, naming the field, for a step that can never be passed: an
 * approver who is named twice counts once.
 */
export function parseSteps(steps: readonly workflow.ApprovalStep[]): Step[] {
  if (steps.length === 0) throw ClavigerError.invalid('/steps', 'needs at least 1 items');
  return steps.map((step, index) => {
    const at = `/steps/${index}`;
    step.approverRoles.forEach((role, position) => {
      if (role.trim() === '')
        throw ClavigerError.invalid(`${at}/approverRoles/${position}`, 'may not be blank');
    });
    const approverUserIds = [...new Set(step.approverUserIds)];
    const approverRoles = [...new Set(step.approverRoles)];
    if (approverRoles.length === 0 && approverUserIds.length > 0 && approverUserIds.length < step.quorum) {
      throw ClavigerError.invalid(
        `${at}/quorum`,
        `is more than the ${approverUserIds.length} named approvers: the step could never be passed`,
      );
    }
    return {
      name: step.name.trim() || `step ${index + 1}`,
      quorum: step.quorum,
      approverUserIds,
      approverRoles,
    };
  });
}
