import { candidateFacts } from './candidate-facts.ts';
import { evaluate } from './evaluate.ts';
import type { Evaluation, Verdict } from './evaluation.ts';
import type { FactName, Facts } from './facts.ts';
import type { StepCount } from './glob.ts';
import { finish, type Work } from './pace.ts';
import type { RuleSet } from './rule-set.ts';

/** One changed fact and the resulting verdict. */
export interface FactChange {
  readonly fact: FactName;
  /** Undefined: it was unknown. */
  readonly was: unknown;
  readonly value: unknown;
  readonly verdict: Verdict;
  readonly decidingRule: Evaluation['decidingRule'];
}

/** Evaluations in one search; earlier rules are searched first. */
const MAX_TRIES = 5_000;
/** Limit of machine words for patterns in all evaluations: some tenths of a second. */
const MAX_EFFORT = 10_000_000;

/** Facts that a requester can change most easily come first. */
const NEARNESS: readonly FactName[] = [
  'reason',
  'durationMinutes',
  'actionDigest',
  'at',
  'groups',
  'riskTier',
  'toolName',
  'signer',
  'hash',
  'path',
  'parentImage',
  'siteId',
  'username',
  'subjectUserId',
  'resourceId',
];

/**
 * The nearest single fact that would have changed the verdict, preferably to an approval; undefined if no
 * fact in a rule would. Each candidate is evaluated, so the answer agrees with `evaluate`.
 */
export function nearestChange(ruleSet: RuleSet, facts: Facts, verdict: Verdict): FactChange | undefined {
  return finish(searching(ruleSet, facts, verdict));
}

/** The same, one candidate at a time. Rules that `mayName` rejects are neither used nor named. */
export function* searching(
  ruleSet: RuleSet,
  facts: Facts,
  verdict: Verdict,
  mayName: (ruleId: string) => boolean = () => true,
): Work<FactChange | undefined> {
  let [best, tries]: [FactChange | undefined, number] = [undefined, 0];
  const effort: StepCount = { steps: 0 };
  for (const { fact, value } of candidateFacts(ruleSet, facts, mayName)) {
    if (++tries > MAX_TRIES || effort.steps > MAX_EFFORT) break;
    yield;
    const changed = evaluate(ruleSet, { ...facts, [fact]: value } as Facts, effort);
    if (changed.decidingRule && !mayName(changed.decidingRule.id)) continue;
    if (changed.verdict === verdict) continue;
    const was = (facts as unknown as Record<string, unknown>)[fact];
    const found = { fact, was, value, verdict: changed.verdict, decidingRule: changed.decidingRule };
    if (!best || isNearer(found, best, verdict)) best = found;
  }
  return best;
}

function isNearer(a: FactChange, b: FactChange, from: Verdict): boolean {
  const gain = distance(a.verdict, from) - distance(b.verdict, from);
  if (gain !== 0) return gain < 0;
  const ease = NEARNESS.indexOf(a.fact) - NEARNESS.indexOf(b.fact);
  if (ease !== 0) return ease < 0;
  return a.fact === 'at' && String(a.value) < String(b.value);
}

/** For a refusal, what would have allowed it; for an approval, what would have prevented it. */
function distance(to: Verdict, from: Verdict): number {
  if (from === 'auto_approved') return 0;
  return ['auto_approved', 'needs_approval', 'pending', 'ignored', 'denied'].indexOf(to);
}
