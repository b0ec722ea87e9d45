import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { type Explanation, explainGradually, type RuleSet } from '@claviger/evaluator';
import { type Actor, withinSites } from '@claviger/service-kit';
import type { findEvaluation } from '../rules/record-evaluation.ts';

/** A stored decision; undefined for a request from before decisions were stored. */
export type StoredDecision = Awaited<ReturnType<typeof findEvaluation>>;

export interface ExplanationInput {
  readonly requestId: string;
  readonly kind: 'elevation' | 'tool' | 'access';
  /** The current status. */
  readonly status: string;
  readonly stored: StoredDecision;
  /** The rule set that decided. Undefined if the actor may not read rules, or if no rule set decided. */
  readonly ruleSet: RuleSet | undefined;
  readonly mayReadRules: boolean;
  readonly actor: Pick<Actor, 'siteIds'>;
  readonly decisions: readonly explanations.ExplainedDecision[];
}

/**
 * A decision as text. For actors who may not read rules, the text depends only on the verdict, its reason and
 * the status. It omits the version, which would disclose how often rules change.
 */
export async function explanationMessage(input: ExplanationInput): Promise<explanations.Explanation> {
  const { requestId, kind, status, stored, mayReadRules, decisions } = input;
  const common = { requestId, kind, status, decisions: [...decisions], rulesShown: mayReadRules };
  if (!stored) {
    const summary = 'The stored decision was erased, or the request is older than stored decisions.';
    return {
      ...common,
      verdict: '',
      summary,
      lines: [],
      nearest: undefined,
      ruleSetVersion: '',
      decidedAt: undefined,
    };
  }
  const { evaluation, decidedAt } = stored;
  const words = await inWords(input, stored);
  // A recorded request was not ignored, even if a rule for prompts with that verdict matched. Actors who may
  // not read rules see only that a person decides.
  const verdict = evaluation.verdict === 'ignored' && !mayReadRules ? 'pending' : evaluation.verdict;
  return {
    ...common,
    verdict,
    summary: summaryOf(words.summary, evaluation.verdict, status),
    lines: [...words.lines],
    nearest: words.nearest ? nearestMessage(words.nearest) : undefined,
    ruleSetVersion: mayReadRules ? evaluation.ruleSetVersion : '',
    decidedAt: decidedAt.toISOString(),
  };
}

/** A settled request no longer waits for people. */
function summaryOf(summary: string, verdict: string, status: string): string {
  const waits = verdict === 'pending' || verdict === 'needs_approval' || verdict === 'ignored';
  if (waits && status !== 'pending') return 'People decided it.';
  return verdict === 'ignored' ? 'Waits for a person.' : summary;
}

/** Rules of sites that the actor may not see are neither named nor used to explain. */
function inWords(
  { ruleSet, mayReadRules, actor }: ExplanationInput,
  { evaluation, facts }: NonNullable<StoredDecision>,
): Promise<Explanation> {
  if (!ruleSet) return explainGradually(evaluation, facts, { mayReadRules });
  if (!actor.siteIds) return explainGradually(evaluation, facts, { mayReadRules, ruleSet });
  const hidden = new Set(
    [...ruleSet.rules, ...ruleSet.softwareEntries]
      .filter(({ siteId }) => siteId && !withinSites(actor, siteId))
      .map(({ id }) => id),
  );
  const mayName = (ruleId: string) => !hidden.has(ruleId);
  return explainGradually(evaluation, facts, { mayReadRules, ruleSet, mayName });
}

function nearestMessage(nearest: NonNullable<Explanation['nearest']>): explanations.NearestChange {
  return {
    fact: nearest.fact,
    was: text(nearest.was),
    instead: text(nearest.value),
    verdict: nearest.verdict,
    words: nearest.words,
  };
}

function text(value: unknown): string {
  if (value === undefined) return 'unknown';
  if (value === null) return 'none';
  return Array.isArray(value) ? value.join(', ') : String(value);
}
