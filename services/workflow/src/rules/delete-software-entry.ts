import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { SoftwareEntry } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { changeRuleSet } from './change-rule-set.ts';
import type { RulesDeps } from './deps.ts';
import { revisionToChange } from './revision-store.ts';

export function deleteSoftwareEntry(
  deps: RulesDeps,
): Handler<typeof contract.SoftwarePolicyService.deleteSoftwareEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'software-entry', id: request.id };
    const { tenantId, actor } = context;
    await deps.database.withTenant(tenantId, async (tx) => {
      const { id } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'software', id, actor, rowVersion: 0 });
      const objectId = stored.object_id;
      const version = await changeRuleSet(tx, tenantId, [{ kind: 'software', objectId, body: null }]);
      await deps.emitter.audit(tx, context, {
        subject: { type: 'software-entry', id: objectId },
        details: ruleDetails(version, stored.body as SoftwareEntry),
      });
    });
    return {};
  };
}
