import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Handler } from '@claviger/service-kit';
import type { RulesDeps } from './deps.ts';
import { visibleRevision } from './revision-store.ts';
import { ruleMessage } from './rule-view.ts';

export function getRule(deps: RulesDeps): Handler<typeof contract.PamRulesService.getRule> {
  return async (request, context) => {
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      visibleRevision(reader, 'rule', request.id, context.actor),
    );
    return { rule: ruleMessage(row) };
  };
}
