import { createHash } from 'node:crypto';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { AccessPolicyFields } from '@claviger/evaluator';
import { canonicalJson } from '@claviger/merkle';
import type { CallContext } from '@claviger/service-kit';
import { requestChange } from '../requests/request-change.ts';
import type { AccessPolicy, PolicyChange } from '../schema.ts';
import type { PoliciesDeps } from './deps.ts';
import { lowersApproval } from './lowered-approval.ts';
import { findPolicy } from './policy-store.ts';

/** An approval for one change of one version of a policy. */
export interface Lowering {
  readonly digest: string;
  readonly requestId: string;
}

/**
 * For an actor who benefits from a lower policy; call it before the transaction that changes the policy.
 * Returns undefined if nothing is lowered. Throws conflict `approval_required` with the new or pending
 * request.
 */
export async function askForLowering(
  deps: PoliciesDeps,
  context: CallContext,
  resource: vault.DescribeResourceResponse,
  resourceId: string,
  wanted: AccessPolicyFields,
): Promise<Lowering | undefined> {
  const before = await deps.database.readTenant(context.tenantId, (reader) => findPolicy(reader, resourceId));
  if (!before.customised || !lowersApproval(before.steps, wanted.steps)) return undefined;
  const { change, digest } = changeOf(resourceId, before, wanted);
  const { id, status } = await requestChange(deps, context, {
    kind: 'policy',
    entryId: null,
    entryName: '',
    resourceId,
    resourceName: resource.resourceName,
    moduleType: resource.moduleType,
    change,
    changeDigest: digest,
    reason: 'lowers the access policy of the resource',
  });
  if (status === 'approved') return { digest, requestId: id };
  throw new ClavigerError('conflict', 'A lower access policy of this resource must be approved first.', {
    code: 'approval_required',
    approvalRequestId: id,
    hint: `Once the request ${id} is approved, repeat the same change.`,
  });
}

/** The change and its hex SHA-256. The digest includes the version, so that an approval can be used once. */
export function changeOf(
  resourceId: string,
  before: AccessPolicy,
  { steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes }: AccessPolicyFields,
): { readonly change: PolicyChange; readonly digest: string } {
  const after: AccessPolicy = {
    steps,
    maxDurationMinutes,
    oneTime,
    rotateOnEnd,
    requestTtlMinutes,
    rowVersion: before.rowVersion + 1,
    customised: true,
  };
  const change = { before, after };
  const digest = createHash('sha256')
    .update(canonicalJson({ resourceId, ...change }))
    .digest('hex');
  return { change, digest };
}
