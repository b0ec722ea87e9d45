import type { ApprovalStep, Criteria, RuleVerdict } from './rule.ts';
import type { Stage } from './rule-set.ts';

/**
 * `needs_approval` is the answer to requests for access; `pending` waits for a person on every other path.
 */
export type Verdict = 'auto_approved' | 'denied' | 'ignored' | 'pending' | 'needs_approval';

export type Source = 'software_policy' | 'pam_rule' | 'access_policy';

/** Why the verdict is what it is. Says nothing of a rule, so everybody may know it. */
export type Because =
  | 'software_list'
  | 'rule'
  | 'approval_required'
  | 'no_rule'
  /** A fact is missing that a rule has to know. */
  | 'not_known'
  /** A rule is broken or could not be asked. */
  | 'failed'
  /** The rule would approve somebody who wrote it, and nobody co-signed it. */
  | 'own_rule'
  /** Nobody here owns the user name of the prompt, and nobody co-signed the rule that would approve it. */
  | 'unowned_name'
  /** The rule would approve a prompt on a device that one of its authors uses, and nobody co-signed it. */
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
 * How one rule answered. Rules that an index left out do not appear: one of their questions fails for
 * certain.
 */
export interface TraceStep {
  readonly stage: Stage;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly priority: number;
  readonly ruleVerdict: RuleVerdict | null;
  readonly outcome: 'matched' | 'not_matched' | 'not_known' | 'failed';
  /** The question that failed or could not be answered. */
  readonly field?: keyof Criteria;
  readonly reason?: string;
}

export interface Trace {
  readonly steps: readonly TraceStep[];
  /** Steps that were left out in front of the last ones. */
  readonly omitted: number;
}

/** What holds for the access that is given or asked for. */
export interface AccessDecision {
  /** Who must agree, one step after the other; the requester is never among them. */
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
  /** Also of a pending request that a rule sends to a person. */
  readonly decidingRule: DecidingRule | null;
  /** Who decided; null while it waits for a person. */
  readonly source: Source | null;
  readonly ruleSetVersion: string;
  /** Of the deciding rule; null: the default of the organisation. */
  readonly approvalDurationMinutes: number | null;
  /** The one action that an approval of a tool holds for. */
  readonly actionDigest: string | null;
  readonly access: AccessDecision | null;
  readonly trace: Trace;
}
