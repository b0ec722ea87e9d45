import type { Finding } from './finding.ts';
import { type KnownUser, lintAuthors } from './lint-authors.ts';
import { lintOrder } from './lint-order.ts';
import { lintTexts } from './lint-texts.ts';
import { lintWindows } from './lint-windows.ts';
import type { ApprovalStep } from './rule.ts';
import type { RuleSet } from './rule-set.ts';
import { type Approver, whoCanApprove } from './who-can-approve.ts';

export interface OpenRequest {
  readonly id: string;
  /** The subject and all others who must not decide it. */
  readonly excludedUserIds: readonly string[];
  /** The open step; without it, every approver may decide. */
  readonly step?: ApprovalStep;
  /** The approvers of this request; by default those of elevations. */
  readonly approvers?: readonly Approver[];
}

export interface LintContext {
  /** The present time, RFC 3339. */
  readonly at: string;
  /** Days ahead in which approvers are searched; default 14. */
  readonly horizonDays?: number;
  /** Facts about people, especially authors. Without them, a gain cannot be excluded. */
  readonly users?: readonly KnownUser[];
  /** All approvers of elevations. If absent, approvals are not examined. */
  readonly approvers?: readonly Approver[];
  /** All approvers of access requests; default `approvers`. */
  readonly accessApprovers?: readonly Approver[];
  /** The pending requests. */
  readonly requests?: readonly OpenRequest[];
}

const ANYBODY: ApprovalStep = { name: 'decision', quorum: 1, approverUserIds: [], approverRoles: [] };

/** Reports unintended effects of a rule set, worst first. Changes nothing and decides nothing. */
export function lint(ruleSet: RuleSet, context: LintContext): Finding[] {
  const findings = [
    ...lintBroken(ruleSet),
    ...lintOrder(ruleSet),
    ...lintWindows(ruleSet, context.at),
    ...lintAuthors(ruleSet, context.users),
    ...lintTexts(ruleSet),
    ...lintApprovals(ruleSet, context),
  ];
  const rank = { error: 0, warning: 1, note: 2 };
  return findings.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

function lintBroken(ruleSet: RuleSet): Finding[] {
  return ruleSet.broken.map(({ ruleId, problems }) => ({
    code: 'invalid_rule',
    severity: 'error',
    ruleId,
    message: `Cannot be used, so every request waits for a person: ${problems
      .map(({ pointer, detail }) => `${pointer} ${detail}`.trim())
      .join('; ')}.`,
  }));
}

function lintApprovals(ruleSet: RuleSet, context: LintContext): Finding[] {
  const { approvers, accessApprovers = approvers } = context;
  if (!approvers || !accessApprovers) return [];
  const findings: Finding[] = [];
  const about = (
    step: ApprovalStep,
    who: readonly Approver[],
    ids: { ruleId: string | null; requestId?: string },
    exclude: readonly string[],
    authorIds: readonly string[] = [],
  ) => {
    const found = ofStep(step, who, context, exclude, authorIds);
    if (found) findings.push({ ...found, ...ids });
  };
  // A request that no rule decides waits for any approver.
  about(ANYBODY, approvers, { ruleId: null }, []);
  for (const { rule } of ruleSet.ordered) {
    if (rule.verdict !== 'require_approval') continue;
    // A rule for prompts asks any approver, which the first finding already reports.
    for (const step of rule.access?.steps ?? [])
      about(step, accessApprovers, { ruleId: rule.id }, [], rule.authorIds);
  }
  for (const { id, excludedUserIds, step, approvers: own } of context.requests ?? []) {
    about(step ?? ANYBODY, own ?? approvers, { ruleId: null, requestId: id }, excludedUserIds);
  }
  return findings;
}

function ofStep(
  step: ApprovalStep,
  approvers: readonly Approver[],
  context: LintContext,
  excludeUserIds: readonly string[],
  authorIds: readonly string[],
): Omit<Finding, 'ruleId'> | undefined {
  const { at, horizonDays } = context;
  const coverage = whoCanApprove(step, approvers, { at, horizonDays, excludeUserIds });
  const approval = { ...coverage, step: step.name };
  const userIds = coverage.eligible;
  const needs = `“${step.name}” needs ${step.quorum}`;
  if (coverage.eligible.length < step.quorum) {
    const message = `${needs}, but only ${coverage.eligible.length} can approve at any time.`;
    return { code: 'nobody_can_approve', severity: 'error', message, userIds, approval };
  }
  const authors = authorIds.map((id) => id.toLowerCase());
  if (authors.length > 0 && userIds.every((id) => authors.includes(id.toLowerCase()))) {
    const message = `Only authors of the policy can approve “${step.name}”.`;
    return { code: 'author_alone_approves', severity: 'warning', message, userIds, approval };
  }
  if (coverage.notHandedOver.length > 0 && userIds.every((id) => coverage.notHandedOver.includes(id))) {
    const message =
      `Only accounts that were never handed over can approve “${step.name}”: ` +
      'another person set their passwords, and they count as that person.';
    return {
      code: 'approvers_not_handed_over',
      severity: 'warning',
      message,
      userIds: coverage.notHandedOver,
      approval,
    };
  }
  if (coverage.now.length < step.quorum) {
    const then = coverage.next ? `from ${coverage.next.at} on` : 'at no time in the coming days';
    const message = `${needs}, but ${coverage.now.length} can approve now; enough can ${then}.`;
    return { code: 'nobody_can_approve_now', severity: 'warning', message, userIds, approval };
  }
  if (coverage.eligible.length > step.quorum || excludeUserIds.length > 0) return undefined;
  const message = `${needs}, and exactly that many can approve. If one of them is absent or is the requester, requests wait.`;
  return { code: 'no_reserve', severity: 'note', message, userIds, approval };
}
