import type { CallContext } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { Step } from '../schema.ts';
import type { PoliciesDeps } from './deps.ts';

const IDS_AT_ONCE = 1_000;

/** The status of the users whom these steps name: active, disabled or deleted. An unknown user is absent. */
export async function approverStatuses(
  deps: Pick<PoliciesDeps, 'directory'>,
  context: CallContext,
  steps: readonly Step[],
): Promise<ReadonlyMap<string, string>> {
  const userIds = [...new Set(steps.flatMap((step) => step.approverUserIds))];
  const statuses = new Map<string, string>();
  for (let start = 0; start < userIds.length; start += IDS_AT_ONCE) {
    const { users } = await deps.directory.getUserNames(
      { userIds: userIds.slice(start, start + IDS_AT_ONCE) },
      internalCall(context),
    );
    for (const user of users) statuses.set(user.id, user.status);
  }
  return statuses;
}
