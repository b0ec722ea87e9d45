import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Rule } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, coSignersAfter, namesFor } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, revisionToChange } from './revision-store.ts';
import { ruleMessage } from './rule-view.ts';

/**
 * A person who is not an author agrees to the current state of a rule. From then on the rule may also approve
 * for its authors.
 */
export function coSignRule(deps: RulesDeps): Handler<typeof contract.PamRulesService.coSignRule> {
  return async (request, context) => {
    context.auditSubject = { type: 'pam-rule', id: request.id };
    const acting = await actingPeople(deps, context);
    const { tenantId, actor } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      const { id, rowVersion } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'rule', id, actor, rowVersion });
      const before = stored.body as Rule;
      const coSignerIds = coSignersAfter(before, acting);
      const body: Rule = { ...before, coSignerIds };
      const people = namesFor(body, stored, acting);
      const isSigned = coSignerIds.length === before.coSignerIds?.length;
      const made = isSigned
        ? stored
        : await putRevision(tx, tenantId, { kind: 'rule', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'pam-rule', id: body.id },
        details: { ...ruleDetails(made.from_version, body), authorIds: body.authorIds },
      });
      return made;
    });
    return { rule: ruleMessage(row) };
  };
}
