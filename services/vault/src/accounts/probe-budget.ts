import type { AccountKey } from '@claviger/connectors';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AccountsDeps } from './deps.ts';

/** Names a stored secret by its entry and version. */
export interface StoredSecret {
  readonly entryId: string;
  readonly version: number;
}

/**
 * Counts a login before it is made, per account of a target: failed logins could lock the account. All
 * entries, resources and operations share the budget. Returns undefined when the login may be made, else the
 * earliest time.
 */
export async function takeProbe(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
): Promise<Date | undefined> {
  return (await tryProbe(deps, tenantId, account))?.at;
}

/**
 * Undefined when a login may be made, else the earliest time and the seconds until then by the database's
 * clock.
 */
function tryProbe(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
): Promise<{ at: Date; restSeconds: number } | undefined> {
  const { probesPerWindow, probeWindowSeconds } = deps.config.rotation;
  const window = sql`make_interval(secs => ${probeWindowSeconds})`;
  const isOver = sql`(a.probe_window_at IS NULL OR a.probe_window_at <= now() - ${window})`;
  return deps.database.withTenant(tenantId, async (tx) => {
    const taken = await sql`
      INSERT INTO accounts AS a (tenant_id, target_key, account_key, probes, probe_window_at)
      VALUES (${tenantId}, ${account.target}, ${account.account}, 1, now())
      ON CONFLICT (tenant_id, target_key, account_key) DO UPDATE SET
        probes = CASE WHEN ${isOver} THEN 1 ELSE a.probes + 1 END,
        probe_window_at = CASE WHEN ${isOver} THEN now() ELSE a.probe_window_at END
      WHERE ${isOver} OR a.probes < ${probesPerWindow}
      RETURNING a.id`.execute(tx);
    if (taken.rows.length > 0) return undefined;
    const at = sql<Date>`coalesce(probe_window_at, now()) + ${window}`;
    return tx
      .selectFrom('accounts')
      .select([
        at.as('at'),
        sql<number>`greatest(1, ceil(extract(epoch FROM ${at} - clock_timestamp())))::int`.as('restSeconds'),
      ])
      .where('target_key', '=', account.target)
      .where('account_key', '=', account.account)
      .executeTakeFirstOrThrow();
  });
}

/**
 * Gives a counted login back to the budget if the target did not refuse it. Records the secret if the target
 * accepted it.
 */
export async function returnProbe(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
  accepted?: StoredSecret,
): Promise<void> {
  await change(deps, tenantId, account, {
    probes: sql<number>`greatest(probes - 1, 0)`,
    ...(accepted ? { accepted_entry_id: accepted.entryId, accepted_version: accepted.version } : {}),
  });
}

/** Records that the target refused a login: no secret of the account counts as accepted any more. */
export async function recordRefusal(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
): Promise<void> {
  await change(deps, tenantId, account, { accepted_entry_id: null, accepted_version: null });
}

/** Whether this is the secret that the target accepted last. A login with it is not counted. */
export async function isAccepted(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
  secret: StoredSecret,
): Promise<boolean> {
  const found = await deps.database.readTenant(tenantId, (reader) =>
    reader
      .selectFrom('accounts')
      .select('id')
      .where('target_key', '=', account.target)
      .where('account_key', '=', account.account)
      .where('accepted_entry_id', '=', secret.entryId)
      .where('accepted_version', '=', secret.version)
      .executeTakeFirst(),
  );
  return found !== undefined;
}

/** Counts a login that an actor requested. Throws conflict `probe_budget_spent`. */
export async function spendProbe(deps: AccountsDeps, tenantId: string, account: AccountKey): Promise<void> {
  const spent = await tryProbe(deps, tenantId, account);
  if (!spent) return;
  throw new ClavigerError('conflict', 'Another failed login could lock the account on the target.', {
    code: 'probe_budget_spent',
    hint: `Try again after ${spent.at.toISOString()}.`,
    retryAfterSeconds: spent.restSeconds,
  });
}

async function change(
  deps: AccountsDeps,
  tenantId: string,
  account: AccountKey,
  set: Record<string, unknown>,
): Promise<void> {
  await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('accounts')
      .set(set as never)
      .where('target_key', '=', account.target)
      .where('account_key', '=', account.account)
      .execute(),
  );
}
