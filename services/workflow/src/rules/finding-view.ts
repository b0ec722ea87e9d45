import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Finding, FindingCode } from '@claviger/evaluator';

/** What to do about it. */
const HINTS: Readonly<Record<FindingCode, string>> = {
  invalid_rule: 'Correct or delete it: until then no rule of its kind decides anything.',
  shadowed: 'Give it a lower priority than the rule in front of it, narrow that one, or delete it.',
  redundant: 'Delete it: nothing changes.',
  unreachable: 'Give it a lower priority than the rules in front of it, or delete it.',
  window_never_matches: 'Correct the window, or delete the rule.',
  window_skipped: 'Begin the window before the hour that the clock skips, or end it after.',
  author_benefits: 'Have somebody who has not written any of it co-sign it.',
  approves_everything: 'Ask for a signer, a hash, a path or a tool as well.',
  look_alike: 'Write the text anew in letters of one alphabet.',
  not_all_examined: 'Delete rules that nobody needs, or have them ask for a hash, a signer or a tool.',
  author_alone_approves: 'Name somebody else among the approvers of the step.',
  approvers_not_handed_over: 'Have them choose passwords of their own, or name somebody else.',
  author_lowered: 'Have somebody else look at the policy, and save it as it should be.',
  nobody_can_approve: 'Give somebody the permission, or change the step or the quorum.',
  nobody_can_approve_now: 'Wait, or give somebody else the permission.',
  no_reserve: 'Give one more person the permission.',
};

export interface FindingWords {
  /** Of rules and entries. */
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
