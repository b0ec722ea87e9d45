import type { Because, Evaluation, TraceStep, Verdict } from './evaluation.ts';
import type { FactName, Facts } from './facts.ts';
import { type FactChange, searching } from './nearest-change.ts';
import { finish, gradually, type Work } from './pace.ts';
import type { RuleSet } from './rule-set.ts';

export interface ExplainOptions {
  /** If false, nothing about rules is revealed: not their names, criteria, order, or existence. */
  readonly mayReadRules: boolean;
  /** The rule set that decided; needed for the nearest change. */
  readonly ruleSet?: RuleSet;
  /**
   * Which rules may be named; all when absent. Nothing about the other rules is revealed, nor criteria that
   * only they have.
   */
  readonly mayName?: (ruleId: string) => boolean;
}

export interface Explanation {
  /** The verdict and its reason in a sentence for every user. */
  readonly summary: string;
  /** The trace, one line per evaluated rule. Empty without permission to read rules. */
  readonly lines: readonly string[];
  /**
   * The single fact that would have changed the verdict; null if there is none, or without permission to read
   * rules.
   */
  readonly nearest: (FactChange & { readonly words: string }) | null;
}

/**
 * Explains a decision in words. Without permission to read rules, all text follows from verdict and reason
 * alone.
 */
export function explain(result: Evaluation, facts: Facts, options: ExplainOptions): Explanation {
  return finish(explaining(result, facts, options));
}

/** The same in slices, because the search for the nearest change evaluates thousands of times. */
export function explainGradually(
  result: Evaluation,
  facts: Facts,
  options: ExplainOptions,
): Promise<Explanation> {
  return gradually(explaining(result, facts, options));
}

function* explaining(result: Evaluation, facts: Facts, options: ExplainOptions): Work<Explanation> {
  const summary = `${VERDICTS[result.verdict]} ${REASONS[result.because]}`.trim();
  if (!options.mayReadRules) return { summary, lines: [], nearest: null };
  const { mayName = () => true } = options;
  const steps = result.trace.steps.filter(({ ruleId }) => ruleId === '' || mayName(ruleId));
  const lines = steps.map(lineOf);
  // The trace does not record which of the omitted rules the reader may see.
  if (result.trace.omitted > 0)
    lines.unshift(`${options.mayName ? 'Some' : result.trace.omitted} rules before these did not match.`);
  const held = HELD_BACK[result.because];
  const named = result.decidingRule && mayName(result.decidingRule.id) ? result.decidingRule : undefined;
  if (named && held) lines.push(`${held} A person decides until another person co-signs “${named.name}”.`);
  else if (named) lines.push(`Decided by “${named.name}” of version ${result.ruleSetVersion}.`);
  else if (!result.decidingRule) lines.push(`No rule of version ${result.ruleSetVersion} decided.`);
  return { summary, lines, nearest: yield* nearestOf(result, facts, options) };
}

function* nearestOf(
  result: Evaluation,
  facts: Facts,
  { ruleSet, mayName }: ExplainOptions,
): Work<Explanation['nearest']> {
  // Another version would explain another decision.
  if (!ruleSet || ruleSet.version !== result.ruleSetVersion) return null;
  const change = yield* searching(ruleSet, facts, result.verdict, mayName);
  return change ? { ...change, words: wordsOf(change) } : null;
}

const VERDICTS: Record<Verdict, string> = {
  auto_approved: 'Approved at once.',
  denied: 'Denied at once.',
  ignored: 'Ignored. Only the audit log has a record.',
  pending: 'Waits for a person.',
  needs_approval: 'Needs approval.',
};

/** Names only what the requester can change; anything else would reveal rules. */
const REASONS: Record<Because, string> = {
  software_list: '',
  rule: '',
  approval_required: '',
  no_rule: '',
  not_known: '',
  failed: '',
  own_rule: '',
  unowned_name: '',
  own_device: '',
  reason_required: 'A reason is required.',
  too_long: 'The requested time is longer than allowed.',
  nobody_can_approve: 'Nobody can approve it.',
};

/** Why a rule that matched did not approve. */
const HELD_BACK: Partial<Record<Because, string>> = {
  own_rule: 'The rule would approve one of its authors.',
  unowned_name: 'The user name belongs to no user, so the rule could approve one of its authors.',
  own_device: 'An author of the rule uses the device.',
};

function lineOf(step: TraceStep): string {
  const kind = step.stage === 'software_policy' ? 'Known software' : 'Rule';
  const name = step.ruleName || step.ruleId;
  const rule = name
    ? `${kind} “${name}”${step.ruleVerdict ? ` (priority ${step.priority}, ${step.ruleVerdict})` : ''}`
    : 'The evaluator';
  switch (step.outcome) {
    case 'matched':
      return `${rule} matched.`;
    case 'not_matched':
      return `${rule} did not match: ${step.field} does not hold.`;
    case 'not_known':
      return `${rule} could not be decided: ${step.field} needs an unknown fact, ${step.reason}. A person decides.`;
    case 'failed':
      return `${rule} failed${step.field ? ` at ${step.field}` : ''}: ${step.reason}. A person decides.`;
  }
}

const FACTS: Record<FactName, string> = {
  at: 'the time of the request',
  siteId: 'the site',
  subjectUserId: 'the user who benefits',
  username: 'the user name',
  groups: 'the groups of the user',
  path: 'the path of the program',
  hash: 'the digest of the program',
  signer: 'the signer of the program',
  parentImage: 'the parent process',
  toolName: 'the tool',
  riskTier: 'the risk tier',
  actionDigest: 'the digest of the action',
  resourceId: 'the resource',
  durationMinutes: 'the duration in minutes',
  reason: 'the reason',
};

function wordsOf({ fact, was, value, verdict, decidingRule }: FactChange): string {
  const by = decidingRule ? ` by “${decidingRule.name}”` : '';
  return `If ${FACTS[fact]} had been ${shown(value)} instead of ${shown(was)}, the verdict would have been ${verdict}${by}.`;
}

function shown(value: unknown): string {
  if (value === undefined) return 'unknown';
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : 'none';
  return String(value);
}
