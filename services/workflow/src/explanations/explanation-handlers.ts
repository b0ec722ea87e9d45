import { explanations } from '@claviger/contracts';
import type { RpcServer } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { explainElevation } from './explain-elevation.ts';
import { explainRequest } from './explain-request.ts';
import { readerOfRules } from './read-decision.ts';

export function addExplanationHandlers(rpc: RpcServer, deps: WorkflowDeps): void {
  rpc.add(explanations.ExplanationsServiceService, explanationHandlers(deps));
}

export function explanationHandlers(deps: Pick<WorkflowDeps, 'database'>) {
  const decidedBy = readerOfRules(deps.database);
  return {
    explainElevation: explainElevation(deps, decidedBy),
    explainRequest: explainRequest(deps, decidedBy),
  };
}
