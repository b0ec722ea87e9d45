import { randomUUID } from 'node:crypto';
import type * as contract from '@claviger/contracts/workflow/v1/rules';
import { problemsOfEntry, type SoftwareEntry } from '@claviger/evaluator';
import type { Handler } from '@claviger/service-kit';
import { ruleDetails } from './audit-details.ts';
import { actingPeople, authorsAfter } from './authorship.ts';
import type { RulesDeps } from './deps.ts';
import { putRevision, refuseProblems, requireRoom } from './revision-store.ts';
import { requireSite } from './rule-access.ts';
import { entryFieldsOf } from './rule-fields.ts';
import { entryMessage } from './rule-view.ts';

export function createSoftwareEntry(
  deps: RulesDeps,
): Handler<typeof contract.SoftwarePolicyService.createSoftwareEntry> {
  return async (request, context) => {
    const people = await actingPeople(deps, context);
    const authorIds = authorsAfter({ authorIds: [] }, people);
    const body: SoftwareEntry = { ...entryFieldsOf(request), id: randomUUID(), authorIds };
    refuseProblems('entry', problemsOfEntry(body));
    requireSite(context.actor, body.siteId);
    const { tenantId } = context;
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      await requireRoom(tx, tenantId, 'software');
      const made = await putRevision(tx, tenantId, { kind: 'software', objectId: body.id, body, people });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'software-entry', id: body.id },
        details: ruleDetails(made.from_version, body),
      });
      return made;
    });
    return { entry: entryMessage(row) };
  };
}
