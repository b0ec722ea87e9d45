import type { CallContext } from '@claviger/service-kit';
import type { RightsDeps } from './deps.ts';

/**
 * Returns which of these users are active in the tenant, according to auth now. Throws `unavailable` while
 * auth does not answer: an outage does not mean that a user has left.
 */
export async function activeUsers(
  deps: Pick<RightsDeps, 'directory'>,
  context: CallContext,
  ids: readonly (string | null)[],
): Promise<ReadonlySet<string>> {
  const userIds = [...new Set(ids.filter((id) => id !== null))];
  if (userIds.length === 0) return new Set();
  const { tenantId, requestId, sourceAddress, deadline, signal } = context;
  const { users } = await deps.directory.getUserNames(
    { userIds },
    { tenantId, requestId, sourceAddress, deadline, signal },
  );
  return new Set(users.filter((user) => user.status === 'active').map((user) => user.id));
}
