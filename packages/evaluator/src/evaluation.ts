import type { ApprovalStep, Criteria, RuleVerdict } from './rule.ts';
import type { Stage } from './rule-set.ts';

/** `needs_approval` is the answer to requests for access; all others are `pending` until a person decides. */
export type Verdict = 'auto_approved' | 'denied' | 'ignored' | 'pending' | 'needs_approval';

export type Source = 'software_policy' | 'pam_rule' | 'access_policy';

/** The reason of the verdict. It reveals nothing about a rule, so every user may see it. */
export type Because =
  | 'software_list'
  | 'rule'
  | 'approval_required'
  | 'no_rule'
  /** A fact that a rule needs is unknown. */
  | 'not_known'
  /** A rule is broken or could not be evaluated. */
  | 'failed'
  /** The rule would approve one of its authors, and no one co-signed it. */
  | 'own_rule'
  /** The user name of the prompt belongs to no user, and no one co-signed the rule that would approve it. */
  | 'unowned_name'
  /** The rule would approve a prompt on a device that one of its authors uses, and no one co-signed it. */
  | 'own_device'
  | 'reason_required'
  | 'too_long'
  | 'nobody_can_approve';

export interface DecidingRule {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly verdict: RuleVerdict;
}

/**
 * The result of one rule. Rules that the index excluded do not appear: one of their criteria certainly fails.
 */
export interface TraceStep {
  readonly stage: Stage;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly priority: number;
  readonly ruleVerdict: RuleVerdict | null;
  readonly outcome: 'matched' | 'not_matched' | 'not_known' | 'failed';
  /** The criterion that failed or is unknown. */
  readonly field?: keyof Criteria;
  readonly reason?: string;
}

export interface Trace {
  readonly steps: readonly TraceStep[];
  /** Number of earlier steps that were omitted. */
  readonly omitted: number;
}

/** The terms of the access that is granted or requested. */
export interface AccessDecision {
  /** The approval steps in order; the requester is never an approver. */
  readonly steps: readonly ApprovalStep[];
  readonly excludedUserIds: readonly string[];
  readonly maxDurationMinutes: number;
  readonly oneTime: boolean;
  readonly rotateOnEnd: boolean;
  readonly requestTtlMinutes: number;
}

export interface Evaluation {
  readonly verdict: Verdict;
  readonly because: Because;
  /** Also set for a pending request that a rule sends to a person. */
  readonly decidingRule: DecidingRule | null;
  /** Whether a list, a rule or the default decided; null while the request waits for a person. */
  readonly source: Source | null;
  readonly ruleSetVersion: string;
  /** Of the deciding rule; null: the default of the tenant. */
  readonly approvalDurationMinutes: number | null;
  /** The only action for which an approval of a tool is valid. */
  readonly actionDigest: string | null;
  readonly access: AccessDecision | null;
  readonly trace: Trace;
}
