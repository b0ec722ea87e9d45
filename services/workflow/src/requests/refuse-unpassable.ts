import { ClavigerError } from '@claviger/errors';
import { type CallContext, peopleBehind } from '@claviger/service-kit';
import { approverStatuses } from '../policies/approver-statuses.ts';
import type { Step } from '../schema.ts';
import type { RequestsDeps } from './deps.ts';

/**
 * Throws conflict `nobody_can_approve` if too few of the people named in a step can still decide: the request
 * would only wait for its expiry. Steps that any approver or a role may pass are not checked.
 */
export async function refuseUnpassable(
  deps: RequestsDeps,
  context: CallContext,
  steps: readonly Step[],
): Promise<void> {
  const named = steps.filter((step) => step.approverRoles.length === 0 && step.approverUserIds.length > 0);
  if (named.length === 0) return;
  const statuses = await approverStatuses(deps, context, named);
  for (const step of named) {
    const able = step.approverUserIds.filter(
      (id) => statuses.get(id) === 'active' && !peopleBehind(context.actor).includes(id),
    );
    if (able.length >= step.quorum) continue;
    throw nobodyCanApprove(step.name);
  }
}

/** The error for a request that would only wait for its expiry. */
export function nobodyCanApprove(stepName: string): ClavigerError {
  return new ClavigerError(
    'conflict',
    `Nobody can approve this request: too few approvers of “${stepName}” are left.`,
    {
      code: 'nobody_can_approve',
      hint: 'Have an administrator name other approvers in the access policy of the resource.',
    },
  );
}
