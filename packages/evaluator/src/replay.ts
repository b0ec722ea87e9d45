import { evaluate } from './evaluate.ts';
import type { Because, Verdict } from './evaluation.ts';
import type { Facts } from './facts.ts';
import { createPace } from './pace.ts';
import type { RuleSet } from './rule-set.ts';

/** A stored decision: the facts and the answer of the evaluator. */
export interface StoredDecision {
  readonly id: string;
  readonly facts: Facts;
  /** The evaluator's verdict, not a later decision of a person. */
  readonly verdict: Verdict;
  readonly decidingRuleId?: string | null;
  /** The name of the request for people: `acme\sarah on WIN-ACCT-04`. */
  readonly label?: string;
  readonly decidedAt?: Date;
}

export interface ReplayedChange {
  readonly id: string;
  readonly label: string | null;
  readonly kind: Facts['kind'] | null;
  readonly decidedAt: Date | null;
  readonly from: Verdict;
  readonly to: Verdict;
  readonly because: Because;
  readonly oldRuleId: string | null;
  readonly newRule: { readonly id: string; readonly name: string } | null;
}

export interface ReplayGroup {
  readonly from: Verdict;
  readonly to: Verdict;
  readonly count: number;
  /** The first of them, in the order of the history. */
  readonly samples: readonly ReplayedChange[];
}

export interface ReplayReport {
  readonly ruleSetVersion: string;
  readonly total: number;
  readonly unchanged: number;
  readonly changed: number;
  /** Among the unchanged: the same verdict, but by another rule. */
  readonly otherRule: number;
  /** Left to a person because of an unknown fact, or because a rule or the facts are broken. */
  readonly unresolved: number;
  /** By former and new verdict, the most frequent first. */
  readonly changes: readonly ReplayGroup[];
}

export interface ReplayOptions {
  /** Number of listed changes per group; default 20. */
  readonly samples?: number;
}

/** A replay that receives one decision at a time; uses constant memory. */
export interface Replay {
  add(decision: StoredDecision): ReplayedChange | undefined;
  report(): ReplayReport;
}

export function startReplay(ruleSet: RuleSet, options: ReplayOptions = {}): Replay {
  const keep = options.samples ?? 20;
  const groups = new Map<string, { from: Verdict; to: Verdict; count: number; samples: ReplayedChange[] }>();
  let [total, changed, otherRule, unresolved] = [0, 0, 0, 0];
  return {
    add(decision) {
      const { verdict: to, because, decidingRule } = evaluate(ruleSet, decision.facts);
      const { verdict: from } = decision;
      const oldRuleId = decision.decidingRuleId ?? null;
      total++;
      if (because === 'not_known' || because === 'failed') unresolved++;
      if (from === to) {
        // If the rule was not stored, it cannot be compared.
        if (decision.decidingRuleId !== undefined && oldRuleId !== (decidingRule?.id ?? null)) otherRule++;
        return undefined;
      }
      changed++;
      const newRule = decidingRule && { id: decidingRule.id, name: decidingRule.name };
      const change = {
        id: decision.id,
        label: decision.label ?? null,
        kind: decision.facts?.kind ?? null,
        decidedAt: decision.decidedAt ?? null,
        from,
        to,
        because,
        oldRuleId,
        newRule,
      };
      const key = `${from} ${to}`;
      const group = groups.get(key) ?? { from, to, count: 0, samples: [] };
      groups.set(key, group);
      group.count++;
      if (group.samples.length < keep) group.samples.push(change);
      return change;
    },
    report() {
      const changes = [...groups.values()]
        .map((group) => ({ ...group, samples: [...group.samples] }))
        .sort((a, b) => b.count - a.count || (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1));
      return {
        ruleSetVersion: ruleSet.version,
        total,
        unchanged: total - changed,
        changed,
        otherRule,
        unresolved,
        changes,
      };
    },
  };
}

/**
 * Decides a history again by a rule set, with all rules in order and with the groups and the time of each
 * request. Reads the history once as a stream, and yields to other work.
 */
export async function replay(
  ruleSet: RuleSet,
  decisions: Iterable<StoredDecision> | AsyncIterable<StoredDecision>,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  const running = startReplay(ruleSet, options);
  const pace = createPace();
  for await (const decision of decisions) {
    running.add(decision);
    await pace();
  }
  return running.report();
}
