import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { Handler } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import { policyMessage } from './access-policy.ts';
import type { PoliciesDeps } from './deps.ts';
import { findPolicy } from './policy-store.ts';

export function getAccessPolicy(
  deps: PoliciesDeps,
): Handler<typeof workflow.AccessPoliciesService.getAccessPolicy> {
  return async (request, context) => {
    const resourceId = request.resourceId;
    await deps.vault.describeResource({ resourceId }, internalCall(context));
    const policy = await deps.database.readTenant(context.tenantId, (reader) =>
      findPolicy(reader, resourceId),
    );
    return { policy: policyMessage(resourceId, policy) };
  };
}
