import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { problemsOfEntry, type SoftwareEntry } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, authorsAfter, namesFor } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, refuseProblems, revisionToChange } from './revision-store.ts';
import { requireSite } from './rule-access.ts';
import { entryPatchOf } from './rule-fields.ts';
import { entryMessage } from './rule-view.ts';

/** A partial change, validated by its result. It ends the co-signatures of the entry. */
export function updateSoftwareEntry(
  deps: RulesDeps,
): Handler<typeof contract.SoftwarePolicyService.updateSoftwareEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'software-entry', id: request.id };
    const patch = entryPatchOf(request);
    const acting = await actingPeople(deps, context);
    const { tenantId, actor } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      const { id, rowVersion } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'software', id, actor, rowVersion });
      const before = stored.body as SoftwareEntry;
      const { coSignerIds: _, ...unsigned } = before;
      const body: SoftwareEntry = { ...unsigned, ...patch, authorIds: authorsAfter(before, acting) };
      refuseProblems('entry', problemsOfEntry(body));
      requireSite(actor, body.siteId);
      const people = namesFor(body, stored, acting);
      const made = await putRevision(tx, tenantId, { kind: 'software', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'software-entry', id: body.id },
        details: ruleDetails(made.from_version, body, before),
      });
      return made;
    });
    return { entry: entryMessage(row) };
  };
}
