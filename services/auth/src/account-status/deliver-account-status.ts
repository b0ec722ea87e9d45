import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { failpoint } from '@claviger/service-kit';
import { type Selectable, sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { AccountStatusDeps } from './deps.ts';
import { rowsOfAccount } from './queue-account-status.ts';

const CALL_TIMEOUT_MS = 3_000;
const INTERVAL_MS = 2_000;
const MAX_BACKOFF_SECONDS = 60;
const BATCH = 100;
const AT_ONCE = 8;

type Deps = Pick<AccountStatusDeps, 'database' | 'logger' | 'accountStatus'>;
type Row = Selectable<AuthSchema['account_standings']>;

/**
 * Sends workflow the unconfirmed status of a user's account and of the machine identities that the user is
 * responsible for. The duty repeats failed deliveries, so this throws only if auth's own database fails.
 */
export async function deliverAccountStatus(deps: Deps, tenantId: string, userId: string): Promise<void> {
  await failpoint('auth.account.before_delivery');
  const due = await deps.database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('account_standings')
      .selectAll()
      .whereRef('applied_version', '<', 'wanted_version')
      .where(rowsOfAccount(userId))
      .orderBy('user_id')
      .limit(BATCH)
      .execute(),
  );
  await deliverAll(deps, due);
}

/** Repeats deliveries that workflow has not confirmed. */
export function startAccountStatusDeliveries(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'account status',
    everyMs: INTERVAL_MS,
    run: (leadership) => deliverDueAccountStatus(deps, leadership),
  });
}

export async function deliverDueAccountStatus(deps: Deps, leadership: Leadership): Promise<void> {
  const due = await deps.database.systemQuery((reader) =>
    reader
      .selectFrom('account_standings')
      .selectAll()
      .where(sql<boolean>`applied_version < wanted_version`)
      .where('next_try_at', '<=', sql<Date>`now()`)
      .orderBy('next_try_at')
      .limit(BATCH)
      .compile(),
  );
  await deliverAll(deps, due, leadership);
}

async function deliverAll(deps: Deps, due: readonly Row[], leadership?: Leadership): Promise<void> {
  for (let start = 0; start < due.length; start += AT_ONCE) {
    if (leadership?.signal.aborted) return;
    const settled = await Promise.all(
      due.slice(start, start + AT_ONCE).map((row) => deliver(deps, row, leadership)),
    );
    // Workflow is unavailable: the remaining calls would only time out.
    if (settled.every((each) => !each)) return;
  }
}

async function deliver(deps: Deps, row: Row, leadership: Leadership | undefined): Promise<boolean> {
  const { tenant_id: tenantId, user_id: userId, wanted_version: version, active, ends, cause } = row;
  const order = { userId, version, active, ends, cause, changedBy: row.changed_by };
  const settled = await (deps.accountStatus
    ? deps.accountStatus.applyAccountStatus(order, { tenantId, timeoutMs: CALL_TIMEOUT_MS }).then(
        (answer) => answer.settled,
        (error: unknown) => {
          deps.logger.warn(
            { err: error, tenantId, userId, version },
            'workflow did not confirm the status of an account; the delivery is repeated',
          );
          return false;
        },
      )
    : true);
  await deps.database.withTenant(tenantId, async (tx) => {
    await leadership?.assert(tx);
    await tx
      .updateTable('account_standings')
      .set(
        settled
          ? {
              attempts: 0,
              applied_version: sql<number>`greatest(applied_version, ${version}::bigint)`,
              // `ends` stays set if a later change must end what the account holds.
              ends: sql<boolean>`ends AND wanted_version > ${version}::bigint`,
            }
          : {
              attempts: sql<number>`attempts + 1`,
              next_try_at: sql<Date>`now() + make_interval(secs => least(power(2, least(attempts, 10)), ${MAX_BACKOFF_SECONDS}))`,
            },
      )
      .where('user_id', '=', userId)
      .execute();
  });
  return settled;
}
