import type * as explanations from '@claviger/contracts/workflow/v1/explanations';
import { type Explanation, explainGradually, type RuleSet } from '@claviger/evaluator';
import { type Actor, withinSites } from '@claviger/service-kit';
import type { findEvaluation } from '../rules/record-evaluation.ts';

/** A decision as it was kept; undefined for a request from before decisions were. */
export type Kept = Awaited<ReturnType<typeof findEvaluation>>;

export interface Told {
  readonly requestId: string;
  readonly kind: 'elevation' | 'tool' | 'access';
  /** As it is now. */
  readonly status: string;
  readonly kept: Kept;
  /** The set that decided. Undefined: the caller may not read rules, or none did. */
  readonly ruleSet: RuleSet | undefined;
  readonly mayReadRules: boolean;
  readonly actor: Pick<Actor, 'siteIds'>;
  readonly decisions: readonly explanations.ExplainedDecision[];
}

/**
 * A decision in words. What is told to who may not read rules follows from the verdict, its reason and the status alone: not even the
 * version is named, which would tell how often rules change.
 */
export async function tell(told: Told): Promise<explanations.Explanation> {
  const { requestId, kind, status, kept, mayReadRules, decisions } = told;
  const common = { requestId, kind, status, decisions: [...decisions], rulesShown: mayReadRules };
  if (!kept) {
    const summary = 'What decided it is not kept any more, or was not yet: nothing more is known of it.';
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
  const { evaluation, decidedAt } = kept;
  const words = await inWords(told, kept);
  // A request that was recorded was not left alone, though a rule for prompts said so: a person decides, and only that is told.
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

/** What waited for people does so no longer once it is settled. */
function summaryOf(summary: string, verdict: string, status: string): string {
  const waits = verdict === 'pending' || verdict === 'needs_approval' || verdict === 'ignored';
  if (waits && status !== 'pending') return 'It was left to people.';
  return verdict === 'ignored' ? 'Waits for a person.' : summary;
}

/** Rules of sites that the caller is kept out of are neither named nor used to explain. */
function inWords(
  { ruleSet, mayReadRules, actor }: Told,
  { evaluation, facts }: NonNullable<Kept>,
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
