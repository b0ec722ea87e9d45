import { type CallContext, peopleBehind } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { Step } from '../schema.ts';
import { SEES_EVERY_SECRET } from './beneficiaries.ts';
import type { RequestsDeps } from './deps.ts';
import { nobodyCanApprove } from './refuse-unpassable.ts';
import { isEligible } from './request-machine.ts';

const MAX_PEOPLE = 5_000;

/**
 * Throws conflict `nobody_can_approve` for a request to lower a protection or a policy that only
 * beneficiaries may decide. A tenant with more deciders than the listed maximum is not checked.
 */
export async function refuseUndecidable(
  deps: Pick<RequestsDeps, 'devices' | 'vault'>,
  context: CallContext,
  subject: { readonly entryId: string; readonly resourceId: string },
  steps: readonly Step[],
): Promise<void> {
  const call = internalCall(context);
  const holders = (permission: string) =>
    deps.devices.listPermittedUsers({ permission, limit: MAX_PEOPLE }, call);
  const [deciders, seers] = await Promise.all([holders('requests.decide'), holders(SEES_EVERY_SECRET)]);
  if (deciders.truncated) return;
  const { userIds } = await deps.vault.describeBeneficiaries(
    { ...subject, userIds: deciders.users.map((user) => user.id) },
    call,
  );
  const excluded = new Set([
    ...userIds,
    ...seers.users.map((user) => user.id),
    ...peopleBehind(context.actor),
  ]);
  const able = deciders.users.filter((user) => !excluded.has(user.id));
  for (const step of steps) {
    const eligible = able.filter((user) => isEligible(step, { userId: user.id, roles: user.roles }));
    if (eligible.length < step.quorum) throw nobodyCanApprove(step.name);
  }
}
