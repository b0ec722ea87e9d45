import type { Reader } from '@claviger/database';
import type { AccessDecision, Rule } from '@claviger/evaluator';
import type { AccessPolicy, WorkflowSchema } from '../schema.ts';
import { DEFAULT_POLICY, policyOf } from './access-policy.ts';

/** What a policy asks for and allows. */
export type AccessTerms = Omit<AccessDecision, 'excludedUserIds'>;

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

/** The terms of the policy as of a version of the rule set; those in force where the version is not known. */
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
