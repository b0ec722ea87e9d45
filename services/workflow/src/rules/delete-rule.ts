import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Rule } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { changeRuleSet } from './change-rule-set.ts';
import type { RulesDeps } from './deps.ts';
import { revisionToChange } from './revision-store.ts';

/** Deletes a rule. Its past decisions can still be explained. */
export function deleteRule(deps: RulesDeps): Handler<typeof contract.PamRulesService.deleteRule> {
  return async (request, context) => {
    context.auditSubject = { type: 'pam-rule', id: request.id };
    const { tenantId, actor } = context;
    return deps.database.withTenant(tenantId, async (tx) => {
      const { id } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'rule', id, actor, rowVersion: 0 });
      const objectId = stored.object_id;
      const version = await changeRuleSet(tx, tenantId, [{ kind: 'rule', objectId, body: null }]);
      await deps.emitter.audit(tx, context, {
        subject: { type: 'pam-rule', id: objectId },
        details: ruleDetails(version, stored.body as Rule),
      });
      return { success: true, id: objectId };
    });
  };
}
