import type { rules as contract } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import type { WorkflowDeps } from '../deps.ts';
import { visibleRevision } from './revision-store.ts';
import { ruleMessage } from './rule-view.ts';

export function getRule(deps: WorkflowDeps): Handler<typeof contract.PamRulesServiceService.getRule> {
  return async (request, context) => {
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      visibleRevision(reader, 'rule', request.id, context.actor),
    );
    return { rule: ruleMessage(row) };
  };
}
