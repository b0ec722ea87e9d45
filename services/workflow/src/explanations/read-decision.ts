import type { Database } from '@claviger/database';
import type { RuleSet } from '@claviger/evaluator';
import { ruleSetAt } from '../rules/load-rule-set.ts';
import { createRuleSetCache } from '../rules/rule-set-cache.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { Kept } from './tell.ts';

/** How many rules are kept for the next explanation: two of the largest sets. */
const MAX_RULES = 45_000;

/** The rules by which a decision was made, as they were then. Undefined where none decided. */
export type DecidedBy = (tenantId: string, kept: Kept) => Promise<RuleSet | undefined>;

export function readerOfRules(database: Database<WorkflowSchema>): DecidedBy {
  const cache = createRuleSetCache(MAX_RULES);
  return async (tenantId, kept) => {
    const version = kept?.evaluation.ruleSetVersion;
    // A decision that failed names no version: no rules explain it.
    if (!version) return undefined;
    return cache.get(`${tenantId} ${version}`, () => ruleSetAt(database, tenantId, Number(version)));
  };
}
