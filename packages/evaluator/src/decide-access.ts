import type { AccessDecision, Because, Verdict } from './evaluation.ts';
import { type PreparedFacts, Unresolved } from './prepared-facts.ts';
import { type AccessTerms, type ApprovalStep, DEFAULT_PRIORITY, type Rule } from './rule.ts';

interface Decided {
  readonly verdict: Verdict;
  readonly because: Because;
  readonly access: AccessDecision | null;
}

/** Applies a matching rule for a resource to a request: denied, approved at once, or the approval steps. */
export function decideAccess(rule: Rule, facts: PreparedFacts): Decided {
  const denied = (because: Because): Decided => ({ verdict: 'denied', because, access: null });
  const pending = (because: Because): Decided => ({ verdict: 'pending', because, access: null });
  const terms = rule.access;
  if (rule.verdict === 'auto_deny') return denied('rule');
  if (!terms) return pending('failed');
  const { durationMinutes, reason, subjectUserId } = facts;
  if (typeof durationMinutes !== 'number' || durationMinutes < 1) return pending('not_known');
  if (durationMinutes > terms.maxDurationMinutes) return denied('too_long');
  if (terms.requiresReason) {
    if (reason instanceof Unresolved) return pending('not_known');
    if (reason === null) return denied('reason_required');
  }
  // Without the requester's id, the requester cannot be excluded from approving.
  if (typeof subjectUserId !== 'string') return pending('not_known');
  const steps = terms.steps.map((step) => withoutRequester(step, subjectUserId));
  const access: AccessDecision = {
    steps,
    excludedUserIds: [subjectUserId],
    maxDurationMinutes: terms.maxDurationMinutes,
    oneTime: terms.oneTime,
    rotateOnEnd: terms.rotateOnEnd,
    requestTtlMinutes: terms.requestTtlMinutes,
  };
  const impossible = steps.some((step, index) => {
    const named = terms.steps[index]!.approverUserIds.length > 0 && step.approverRoles.length === 0;
    return named && step.approverUserIds.length < step.quorum;
  });
  if (impossible) return denied('nobody_can_approve');
  if (rule.verdict === 'auto_approve') return { verdict: 'auto_approved', because: 'rule', access };
  return { verdict: 'needs_approval', because: 'approval_required', access };
}

function withoutRequester(step: ApprovalStep, requester: string): ApprovalStep {
  return { ...step, approverUserIds: step.approverUserIds.filter((id) => id.toLowerCase() !== requester) };
}

/** An access policy as stored per resource. */
export interface AccessPolicyFields extends Omit<AccessTerms, 'requiresReason'> {
  readonly requiresReason?: boolean;
}

/** Priority of the default policy for resources without their own: after every rule of a user. */
export const DEFAULT_POLICY_PRIORITY = 1_000_000;

/**
 * The access policy of a resource as a rule; without a resource, the default for all other resources.
 * `authorIds`: its authors. A policy without steps approves at once.
 */
export function accessRuleOf(
  resourceId: string | null,
  policy: AccessPolicyFields,
  authorIds: readonly string[] = [],
): Rule {
  const { steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes } = policy;
  return {
    id: `access-policy:${resourceId ?? 'default'}`,
    name: resourceId === null ? 'default access policy' : `access policy of ${resourceId}`,
    verdict: steps.length === 0 ? 'auto_approve' : 'require_approval',
    priority: resourceId === null ? DEFAULT_POLICY_PRIORITY : DEFAULT_PRIORITY,
    matchResourceId: resourceId ?? '*',
    access: {
      steps,
      maxDurationMinutes,
      oneTime,
      rotateOnEnd,
      requestTtlMinutes,
      requiresReason: policy.requiresReason ?? true,
    },
    authorIds,
  };
}
