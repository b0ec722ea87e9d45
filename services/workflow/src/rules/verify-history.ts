import type { Database } from '@claviger/database';
import { createPace, evaluate, type RuleSet, type Verdict } from '@claviger/evaluator';
import type { WorkflowSchema } from '../schema.ts';
import { decidedHistory } from './decided-history.ts';
import { ruleSetAt } from './load-rule-set.ts';
import { createRuleSetCache } from './rule-set-cache.ts';

export interface VerifiedHistory {
  readonly total: number;
  /** Same verdict, reason and rule. */
  readonly reproduced: number;
  /** Left to a person because the rules could not be evaluated: there is nothing to repeat. */
  readonly undecided: number;
  /** The first hundred decisions with another result. */
  readonly differing: readonly { readonly requestId: string; readonly was: Verdict; readonly is: Verdict }[];
  readonly versions: number;
}

const MAX_NAMED = 100;

/**
 * Repeats every stored decision of a time range by the version that decided it. A difference means that the
 * stored decision or the evaluator was altered.
 */
export async function verifyHistory(
  database: Database<WorkflowSchema>,
  tenantId: string,
  { from, to }: { readonly from: Date; readonly to: Date },
): Promise<VerifiedHistory> {
  const cache = createRuleSetCache();
  const setAt = (version: number): Promise<RuleSet> =>
    cache.get(`${version}`, () => ruleSetAt(database, tenantId, version));
  const differing: VerifiedHistory['differing'][number][] = [];
  const versions = new Set<number>();
  const pace = createPace();
  let [total, reproduced, undecided] = [0, 0, 0];
  const kinds = ['elevation', 'tool', 'access'] as const;
  for await (const batch of decidedHistory(database, tenantId, { from, to, kinds })) {
    for (const { requestId, version, facts, verdict, because, decidingRuleId } of batch) {
      total++;
      if (version === null) {
        undecided++;
        continue;
      }
      versions.add(version);
      const again = evaluate(await setAt(version), facts);
      const isSame =
        again.verdict === verdict &&
        again.because === because &&
        (again.decidingRule?.id ?? null) === decidingRuleId;
      if (isSame) reproduced++;
      else if (differing.length < MAX_NAMED) differing.push({ requestId, was: verdict, is: again.verdict });
      await pace();
    }
  }
  return { total, reproduced, undecided, differing, versions: versions.size };
}
