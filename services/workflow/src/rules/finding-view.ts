import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Finding, FindingCode } from '@claviger/evaluator';

/** The hint for each finding. */
const HINTS: Readonly<Record<FindingCode, string>> = {
  invalid_rule: 'Correct or delete it: until then no rule of its kind decides.',
  shadowed: 'Give it a lower priority than the rule before it, narrow that rule, or delete this one.',
  redundant: 'Delete it: nothing changes.',
  unreachable: 'Give it a lower priority than the rules before it, or delete it.',
  window_never_matches: 'Correct the window, or delete the rule.',
  window_skipped: 'Start the window before the hour that the clock skips, or end it after that hour.',
  author_benefits: 'Have a person who is not one of its authors co-sign it.',
  approves_everything: 'Add a signer, a hash, a path or a tool to its criteria.',
  look_alike: 'Rewrite the text in letters of one alphabet.',
  not_all_examined: 'Delete unused rules, or add a hash, a signer or a tool to their criteria.',
  author_alone_approves: 'Add another person to the approvers of the step.',
  approvers_not_handed_over: 'Have these users change their passwords, or name another approver.',
  author_lowered: 'Have another person review the policy and save it again.',
  nobody_can_approve: 'Give a person the permission, or change the step or the quorum.',
  nobody_can_approve_now: 'Wait, or give another person the permission.',
  no_reserve: 'Give one more person the permission.',
};

export interface FindingWords {
  /** Names of rules and entries by id. */
  readonly names: ReadonlyMap<string, string>;
  readonly people: ReadonlyMap<string, string>;
  readonly at: string;
}

export function findingMessage(
  { code, severity, ruleId, requestId, otherRuleIds, userIds, approval, message }: Finding,
  { names, people, at }: FindingWords,
): contract.LintFinding {
  const availableAt = (id: string): string | undefined => {
    if (approval?.now.includes(id)) return at;
    return approval?.next?.userIds.includes(id) ? approval.next.at : undefined;
  };
  return {
    finding: code,
    severity,
    message,
    hint: HINTS[code],
    ruleId: ruleId ?? '',
    ruleName: (ruleId !== null && names.get(ruleId)) || '',
    otherRuleIds: [...(otherRuleIds ?? [])],
    requestId: requestId ?? '',
    approvers: (approval ? (userIds ?? []) : []).map((id) => ({
      id,
      name: people.get(id) ?? '',
      availableAt: availableAt(id),
    })),
  };
}
