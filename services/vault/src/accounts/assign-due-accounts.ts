import { type Leadership, LeadershipLost } from '@claviger/cluster';
import { anyOf } from '@claviger/database';
import { linkAccounts } from './assign-accounts.ts';
import type { AccountsDeps } from './deps.ts';

const BATCH = 200;

/** Assigns the accounts of entries that a former release stored, oldest first. */
export async function assignDueAccounts(deps: AccountsDeps, leadership: Leadership): Promise<void> {
  let failed = false;
  while (!failed) {
    const due = await deps.database.systemQuery((reader) =>
      reader
        .selectFrom('entries')
        .select(['tenant_id', 'id'])
        .where('account_due', '=', true)
        .where('status', '=', 'active')
        .orderBy('created_at')
        .orderBy('id')
        .limit(BATCH)
        .compile(),
    );
    for (const [tenantId, rows] of Map.groupBy(due, (row) => row.tenant_id)) {
      const ids = rows.map(({ id }) => id);
      await deps.database
        .withTenant(tenantId, async (tx) => {
          await leadership.assert(tx);
          await linkAccounts(tx, tenantId, (eb) => eb('entries.id', '=', anyOf(ids, 'uuid')));
        })
        .catch((error: unknown) => {
          if (error instanceof LeadershipLost) throw error;
          failed = true;
          deps.logger.warn(
            { err: error, tenantId },
            'the accounts of stored entries could not be assigned; the next sweep tries again',
          );
        });
    }
    if (due.length < BATCH || leadership.signal.aborted) return;
  }
}
