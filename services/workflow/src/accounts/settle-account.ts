import { syncEmergency } from '../breakglass/sync-emergency.ts';
import { syncEntitlement } from '../grants/sync-entitlement.ts';
import type { AccountsDeps } from './deps.ts';

const AT_MOST = 50;

/**
 * Sends the ends of an account's grants and sessions to the vault; the due queues repeat failed calls.
 * Returns true when all are confirmed.
 */
export async function settleAccount(
  deps: AccountsDeps,
  tenantId: string,
  userId: string,
  requestId: string,
): Promise<boolean> {
  const { grants, sessions } = await deps.database.readTenant(tenantId, async (reader) => ({
    grants: await reader
      .selectFrom('grants')
      .selectAll()
      .where('user_id', '=', userId)
      .where('sync_wanted', '=', 'remove')
      .limit(AT_MOST)
      .execute(),
    sessions: await reader
      .selectFrom('breakglass_sessions')
      .selectAll()
      .where('user_id', '=', userId)
      .where('sync_wanted', '=', 'end')
      .limit(AT_MOST)
      .execute(),
  }));
  const told = await Promise.allSettled([
    ...grants.map(async (grant) => (await syncEntitlement(deps, grant, requestId)).sync_wanted === null),
    ...sessions.map(async (row) => (await syncEmergency(deps, row, requestId)).sync_wanted === null),
  ]);
  for (const each of told) {
    if (each.status === 'rejected') {
      deps.logger.warn(
        { err: each.reason, userId },
        'the vault has not confirmed the end of an account; the due queue tries again',
      );
    }
  }
  const isWhole = grants.length < AT_MOST && sessions.length < AT_MOST;
  return isWhole && told.every((each) => each.status === 'fulfilled' && each.value);
}
