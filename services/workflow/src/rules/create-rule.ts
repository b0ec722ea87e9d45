import { randomUUID } from 'node:crypto';
import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { type Rule, validateRule } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, authorsAfter } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, refuseProblems, requireRoom } from './revision-store.ts';
import { requireSite } from './rule-access.ts';
import { ruleFieldsOf } from './rule-fields.ts';
import { ruleMessage } from './rule-view.ts';

/** Creates a rule. Unless it is disabled, it takes effect before the call returns. */
export function createRule(deps: RulesDeps): Handler<typeof contract.PamRulesService.createRule> {
  return async (request, context) => {
    const fields = ruleFieldsOf(request);
    refuseProblems('rule', validateRule(fields));
    requireSite(context.actor, fields.siteId);
    const people = await actingPeople(deps, context);
    const body: Rule = { ...fields, id: randomUUID(), authorIds: authorsAfter({ authorIds: [] }, people) };
    const { tenantId } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      await requireRoom(tx, tenantId, 'rule');
      const made = await putRevision(tx, tenantId, { kind: 'rule', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'pam-rule', id: body.id },
        details: ruleDetails(made.from_version, body),
      });
      return made;
    });
    return { rule: ruleMessage(row) };
  };
}
