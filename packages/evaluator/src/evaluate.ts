import { decideAccess } from './decide-access.ts';
import type { Because, Evaluation, Trace, TraceStep, Verdict } from './evaluation.ts';
import type { Facts } from './facts.ts';
import type { StepCount } from './glob.ts';
import { type PreparedFacts, prepareFacts, Unresolved } from './prepared-facts.ts';
import { inOrder, type RuleIndex } from './rule-index.ts';
import type { CompiledRule, RuleSet, Stage } from './rule-set.ts';
import { whyCoSigner } from './why-co-signer.ts';

/** Number of steps that a trace keeps; the last ones led to the verdict. */
const TRACE_STEPS = 64;

/**
 * Limit of the work of one stage, in machine words that patterns touch: some tens of milliseconds. Only
 * thousands of patterns that begin and end with a wildcard exceed it, on a long path. The work is counted and
 * not timed, so the result is always the same.
 */
const MAX_EFFORT = 2_000_000;
const ASKING = 16;

/** The end of a stage: a matching rule, a rule that could not be evaluated, or none. */
type Ending =
  | { readonly rule: CompiledRule; readonly stuck?: undefined }
  | { readonly rule: CompiledRule | null; readonly stuck: Because }
  | undefined;

/** The result of a stage: its answer, or null if the next stage decides. */
export interface StageAnswer {
  readonly evaluation: Evaluation | null;
  readonly steps: readonly TraceStep[];
}

/**
 * Decides one request. Pure: the same rule set and facts always give the same result. The lists of known
 * software are evaluated first (deny before allow), then the rules by priority; otherwise a person decides.
 * Never throws: any failure leaves the request pending. `effort` counts the work.
 */
export function evaluate(ruleSet: RuleSet, facts: Facts, effort?: StepCount): Evaluation {
  const { evaluation, steps } = evaluateSoftware(ruleSet, facts, effort);
  return evaluation ?? evaluateRules(ruleSet, facts, steps, effort);
}

/** The first stage alone: the lists of known software, which apply only to prompts. */
export function evaluateSoftware(ruleSet: RuleSet, facts: Facts, effort?: StepCount): StageAnswer {
  const steps: TraceStep[] = [];
  const evaluation = guarded(ruleSet, 'software_policy', steps, () => {
    if (facts.kind !== 'elevation' || facts.flowType !== 'uac_intercept') return null;
    const prepared = prepareFacts(facts);
    const ending = runStage(ruleSet, 'software_policy', ruleSet.software, prepared, steps);
    if (effort) effort.steps += prepared.effort.steps;
    return ending ? conclude(ruleSet, prepared, ending, steps) : null;
  });
  return { evaluation, steps };
}

/** The second stage alone: the rules. `before`: the steps of the first stage. */
export function evaluateRules(
  ruleSet: RuleSet,
  facts: Facts,
  before: readonly TraceStep[] = [],
  effort?: StepCount,
): Evaluation {
  const steps = [...before];
  return guarded(ruleSet, 'rules', steps, () => {
    const prepared = prepareFacts(facts);
    const ending = runStage(ruleSet, 'rules', ruleSet.byKind[prepared.kind], prepared, steps);
    if (effort) effort.steps += prepared.effort.steps;
    if (!ending) return answer(ruleSet, steps, 'pending', 'no_rule');
    return conclude(ruleSet, prepared, ending, steps);
  });
}

/** An exception leaves the request pending. */
function guarded<T>(ruleSet: RuleSet, stage: Stage, steps: TraceStep[], work: () => T): T | Evaluation {
  try {
    return work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'the evaluator failed';
    steps.push(step(stage, null, 'failed', { reason }));
    return answer(ruleSet, steps, 'pending', 'failed');
  }
}

function runStage(
  ruleSet: RuleSet,
  stage: Stage,
  index: RuleIndex<CompiledRule>,
  facts: PreparedFacts,
  steps: TraceStep[],
): Ending {
  // The result of a broken rule is unknown, and so is its place in the order.
  const broken = ruleSet.broken.filter((rule) => rule.stage === stage);
  if (broken.length > 0) {
    for (const { ruleId, problems } of broken) {
      const reason = problems.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; ');
      steps.push({ ...step(stage, null, 'failed', { reason }), ruleId });
    }
    return { rule: null, stuck: 'failed' };
  }
  for (const rule of inOrder(index.candidates(facts))) {
    if (facts.effort.steps > MAX_EFFORT) {
      steps.push(step(stage, rule, 'failed', { reason: 'the rules in front of it are too much work' }));
      return { rule, stuck: 'failed' };
    }
    facts.effort.steps += ASKING;
    const asked = askRule(rule, facts);
    steps.push(asked);
    if (asked.outcome === 'matched') return { rule };
    if (asked.outcome === 'failed') return { rule, stuck: 'failed' };
    if (asked.outcome === 'not_known') return { rule, stuck: 'not_known' };
  }
  return undefined;
}

/**
 * A rule fails if one criterion is false, even if others are unknown; otherwise an unknown one leaves it
 * open.
 */
export function askRule(rule: CompiledRule, facts: PreparedFacts): TraceStep {
  let open: { field: TraceStep['field']; reason: string } | undefined;
  for (const criterion of rule.asks) {
    try {
      const answered = criterion.ask(facts);
      if (answered === false) return step(rule.stage, rule, 'not_matched', { field: criterion.field });
      if (answered instanceof Unresolved) open ??= { field: criterion.field, reason: answered.reason };
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'could not be asked';
      return step(rule.stage, rule, 'failed', { field: criterion.field, reason });
    }
  }
  return open ? step(rule.stage, rule, 'not_known', open) : step(rule.stage, rule, 'matched');
}

function conclude(
  ruleSet: RuleSet,
  facts: PreparedFacts,
  ending: NonNullable<Ending>,
  steps: TraceStep[],
): Evaluation {
  if (ending.stuck !== undefined) return answer(ruleSet, steps, 'pending', ending.stuck);
  const { rule } = ending;
  const pending = (because: Because): Evaluation => answer(ruleSet, steps, 'pending', because, rule);
  if (rule.rule.verdict === 'auto_approve') {
    const needsCoSigner = whyCoSigner(rule.rule, facts);
    if (needsCoSigner) return pending(needsCoSigner);
    if (facts.actionDigest instanceof Unresolved) return pending('not_known');
  }
  if (facts.kind === 'access') {
    const decided = decideAccess(rule.rule, facts);
    return { ...answer(ruleSet, steps, decided.verdict, decided.because, rule), access: decided.access };
  }
  const digest = typeof facts.actionDigest === 'string' ? facts.actionDigest : null;
  const because: Because = rule.stage === 'software_policy' ? 'software_list' : 'rule';
  switch (rule.rule.verdict) {
    case 'auto_approve':
      return { ...answer(ruleSet, steps, 'auto_approved', because, rule), actionDigest: digest };
    case 'auto_deny':
      return answer(ruleSet, steps, 'denied', because, rule);
    case 'ignore':
      return answer(ruleSet, steps, 'ignored', because, rule);
    case 'require_approval':
      return { ...pending('approval_required'), actionDigest: digest };
  }
}

function answer(
  ruleSet: RuleSet,
  steps: readonly TraceStep[],
  verdict: Verdict,
  because: Because,
  deciding?: CompiledRule,
): Evaluation {
  const source = deciding?.stage === 'software_policy' ? 'software_policy' : 'pam_rule';
  const trace: Trace = { steps: steps.slice(-TRACE_STEPS), omitted: Math.max(0, steps.length - TRACE_STEPS) };
  return {
    verdict,
    because,
    decidingRule: deciding
      ? {
          id: deciding.rule.id,
          name: deciding.rule.name,
          priority: deciding.priority,
          verdict: deciding.rule.verdict,
        }
      : null,
    source:
      !deciding || verdict === 'pending' ? null : deciding.shape === 'access' ? 'access_policy' : source,
    ruleSetVersion: ruleSet.version,
    approvalDurationMinutes: deciding?.rule.approvalDurationMinutes ?? null,
    actionDigest: null,
    access: null,
    trace,
  };
}

function step(
  stage: Stage,
  rule: CompiledRule | null,
  outcome: TraceStep['outcome'],
  more: { field?: TraceStep['field']; reason?: string } = {},
): TraceStep {
  return {
    stage,
    ruleId: rule?.rule.id ?? '',
    ruleName: rule?.rule.name ?? '',
    priority: rule?.priority ?? 0,
    ruleVerdict: rule?.rule.verdict ?? null,
    outcome,
    ...more,
  };
}
