import * as explanations from '@claviger/contracts/workflow/v1/explanations';
import type { RpcServer } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { createRuleSetCache, type RuleSetCache } from '../rules/rule-set-cache.ts';
import { explainElevation } from './explain-elevation.ts';
import { explainRequest } from './explain-request.ts';
import { readerOfRules } from './read-decision.ts';

/** How many rules are kept for the next explanation: two of the largest sets. */
const MAX_RULES = 45_000;

/** Answers the cache of the rules by which decisions were made. */
export function addExplanationHandlers(rpc: RpcServer, deps: WorkflowDeps): RuleSetCache {
  const cache = createRuleSetCache(MAX_RULES);
  rpc.add(explanations.ExplanationsService, explanationHandlers(deps, cache));
  return cache;
}

export function explanationHandlers(
  deps: Pick<WorkflowDeps, 'database'>,
  cache = createRuleSetCache(MAX_RULES),
) {
  const decidedBy = readerOfRules(deps.database, cache);
  return {
    explainElevation: explainElevation(deps, decidedBy),
    explainRequest: explainRequest(deps, decidedBy),
  };
}
