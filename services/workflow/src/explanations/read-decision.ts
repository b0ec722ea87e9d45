import type { Database } from '@claviger/database';
import type { RuleSet } from '@claviger/evaluator';
import { ruleSetAt } from '../rules/load-rule-set.ts';
import type { RuleSetCache } from '../rules/rule-set-cache.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { StoredDecision } from './explanation-message.ts';

/** The rule set version that made a decision. Undefined if none did. */
export type DecidedBy = (tenantId: string, stored: StoredDecision) => Promise<RuleSet | undefined>;

/** Number of rules cached for the next explanation: two of the largest sets. */
export const MAX_EXPLAINED_RULES = 45_000;

export function readerOfRules(database: Database<WorkflowSchema>, cache: RuleSetCache): DecidedBy {
  return async (tenantId, stored) => {
    const version = stored?.evaluation.ruleSetVersion;
    // A failed decision names no version, so no rules explain it.
    if (!version) return undefined;
    return cache.get(`${tenantId} ${version}`, () => ruleSetAt(database, tenantId, Number(version)));
  };
}
