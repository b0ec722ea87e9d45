import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Handler } from '@claviger/service-kit';
import type { PoliciesDeps } from './deps.ts';
import { findPolicy } from './policy-store.ts';

/** For the vault: new entries of a resource start with the protection that its policy requires. */
export function describePolicy(
  deps: PoliciesDeps,
): Handler<typeof workflow.ProtectionService.describePolicy> {
  return async (request, context) => {
    const id = request.resourceId;
    const policy = await deps.database.readTenant(context.tenantId, (reader) => findPolicy(reader, id));
    return { customised: policy.customised };
  };
}
