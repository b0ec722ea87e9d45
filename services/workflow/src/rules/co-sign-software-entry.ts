import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { SoftwareEntry } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, coSignersAfter, namesFor } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, revisionToChange } from './revision-store.ts';
import { entryMessage } from './rule-view.ts';

/**
 * A person who is not an author agrees to the current state of an entry. From then on the entry may also
 * approve for its authors and for local accounts.
 */
export function coSignSoftwareEntry(
  deps: RulesDeps,
): Handler<typeof contract.SoftwarePolicyService.coSignSoftwareEntry> {
  return async (request, context) => {
    context.auditSubject = { type: 'software-entry', id: request.id };
    const acting = await actingPeople(deps, context);
    const { tenantId, actor } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      const { id, rowVersion } = request;
      const stored = await revisionToChange(tx, { tenantId, kind: 'software', id, actor, rowVersion });
      const before = stored.body as SoftwareEntry;
      const coSignerIds = coSignersAfter(before, acting);
      const body: SoftwareEntry = { ...before, coSignerIds };
      const people = namesFor(body, stored, acting);
      const isSigned = coSignerIds.length === before.coSignerIds?.length;
      const made = isSigned
        ? stored
        : await putRevision(tx, tenantId, { kind: 'software', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'software-entry', id: body.id },
        details: { ...ruleDetails(made.from_version, body), authorIds: body.authorIds },
      });
      return made;
    });
    return { entry: entryMessage(row) };
  };
}
