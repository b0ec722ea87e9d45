import type { Reader } from '@claviger/database';
import type { AccessPolicy, WorkflowSchema } from '../schema.ts';
import { DEFAULT_POLICY, policyOf } from './access-policy.ts';

/** The policy in force; the default where the resource has none, or where there is no resource. */
export async function findPolicy(
  reader: Reader<WorkflowSchema>,
  resourceId: string | null,
): Promise<AccessPolicy> {
  if (resourceId === null) return DEFAULT_POLICY;
  return policyOf(
    await reader
      .selectFrom('access_policies')
      .selectAll()
      .where('resource_id', '=', resourceId)
      .executeTakeFirst(),
  );
}
