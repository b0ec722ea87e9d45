import type { Reader } from '@claviger/database';
import type { AccessDecision, Rule } from '@claviger/evaluator';
import type { AccessPolicy, WorkflowSchema } from '../schema.ts';
import { DEFAULT_POLICY, policyOf } from './access-policy.ts';

/** The requirements and limits of a policy. */
export type AccessTerms = Omit<AccessDecision, 'excludedUserIds'>;

/** The current policy; the default without a policy or without a resource. */
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

/** The terms of the policy at a version of the rule set; the current ones if the version is unknown. */
export async function findPolicyAt(
  reader: Reader<WorkflowSchema>,
  resourceId: string | null,
  version: number | undefined,
): Promise<AccessTerms> {
  if (resourceId === null || version === undefined) return findPolicy(reader, resourceId);
  const row = await reader
    .selectFrom('rule_revisions')
    .select('body')
    .where('kind', '=', 'access')
    .where('object_id', '=', resourceId)
    .where('from_version', '<=', version)
    .where((each) => each.or([each('until_version', 'is', null), each('until_version', '>', version)]))
    .executeTakeFirst();
  return (row?.body as Rule | undefined)?.access ?? DEFAULT_POLICY;
}
