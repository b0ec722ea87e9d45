import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { mergeRule, type Rule, type RuleFields, validateRule } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, authorsAfter, namesFor } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, refuseProblems, revisionToChange } from './revision-store.ts';
import { requireSite } from './rule-access.ts';
import { rulePatchOf } from './rule-fields.ts';
import { ruleMessage } from './rule-view.ts';

/** A partial change, validated by its result. It ends the co-signatures of the rule. */
export function updateRule(deps: RulesDeps): Handler<typeof contract.PamRulesService.updateRule> {
  return async (request, context) => {
    context.auditSubject = { type: 'pam-rule', id: request.id };
    const patch = rulePatchOf(request);
    const acting = await actingPeople(deps, context);
    const { tenantId, actor } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      const { id, rowVersion } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'rule', id, actor, rowVersion });
      const before = stored.body as Rule;
      const body = merged(before, patch, acting);
      requireSite(actor, body.siteId);
      const people = namesFor(body, stored, acting);
      const made = await putRevision(tx, tenantId, { kind: 'rule', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'pam-rule', id: body.id },
        details: ruleDetails(made.from_version, body, before),
      });
      return made;
    });
    return { rule: ruleMessage(row) };
  };
}

/** Throws `invalid`, naming the fields. */
function merged(before: Rule, patch: Partial<RuleFields>, acting: Readonly<Record<string, string>>): Rule {
  const { id, authorIds, coSignerIds: _, ...stored } = before;
  const fields = mergeRule(stored, patch);
  refuseProblems('rule', validateRule(fields));
  return { ...fields, id, authorIds: authorsAfter({ authorIds }, acting) };
}
