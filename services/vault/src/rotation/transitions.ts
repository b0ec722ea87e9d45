import type { AccountKey } from '@claviger/connectors';
import { requireActiveTenant } from '@claviger/database';
import { type RawBuilder, sql } from 'kysely';
import type { VaultDeps, VaultTx } from '../deps.ts';
import { promoteVersion } from '../entries/promote-version.ts';
import type { EntryRotationState, RotationState } from '../schema.ts';
import { type Lease, LeaseLostError } from './lease.ts';
import { storeCandidate } from './request-rotation.ts';
import type { RotationRow } from './rotation-rows.ts';

const MAX_BACKOFF_SECONDS = 3_600;

type Change = Partial<{
  state: RotationState;
  version: number;
  attempts: RawBuilder<number>;
  next_attempt_at: RawBuilder<Date> | null;
  applied_at: RawBuilder<Date>;
  login_counted: boolean;
  problem: string;
  finished_at: RawBuilder<Date>;
  lease_owner: null;
  lease_until: null;
}>;

const RELEASED = { lease_owner: null, lease_until: null } as const;

/** Every write of a worker: it asserts the lease, in the same transaction as its effects. */
async function change(tx: VaultTx, lease: Lease, set: Change): Promise<RotationRow> {
  const row = await tx
    .updateTable('rotations')
    .set(set as never)
    .where('id', '=', lease.rotationId)
    .where('lease_owner', '=', lease.owner)
    .where('finished_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new LeaseLostError('The rotation is no longer this worker’s.');
  return row;
}

async function entryState(tx: VaultTx, entryId: string, state: EntryRotationState): Promise<void> {
  await tx.updateTable('entries').set({ rotation_state: state }).where('id', '=', entryId).execute();
}

/** The target is about to be changed. */
export function beginApplying(deps: VaultDeps, lease: Lease, loginCounted: boolean): Promise<RotationRow> {
  return deps.database.withTenant(lease.tenantId, async (tx) => {
    await requireActiveTenant(tx);
    const row = await change(tx, lease, {
      state: 'applying',
      attempts: sql<number>`attempts + 1`,
      applied_at: sql<Date>`clock_timestamp()`,
      login_counted: loginCounted,
    });
    await entryState(tx, row.entry_id, 'applying');
    return row;
  });
}

/** Later, with what there is: the candidate is kept. */
export async function postpone(
  deps: VaultDeps,
  lease: Lease,
  state: 'pending' | 'ambiguous',
  problem: string,
): Promise<void> {
  const { backoffSeconds } = deps.config.rotation;
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, {
      state,
      problem,
      attempts: sql<number>`attempts + 1`,
      next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs =>
        least(${backoffSeconds} * power(2, least(attempts, 12)), ${MAX_BACKOFF_SECONDS}))`,
      ...RELEASED,
    });
    await entryState(tx, row.entry_id, state);
  });
}

/** At a time given: after the target had time to settle, or when the account may be probed again. */
export async function waitUntil(
  deps: VaultDeps,
  lease: Lease,
  at: RawBuilder<Date>,
  problem?: string,
): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    await change(tx, lease, {
      next_attempt_at: at,
      ...(problem === undefined ? {} : { problem }),
      ...RELEASED,
    });
  });
}

/** The target may or may not have changed: both secrets are kept, and it is asked once it had time to settle. */
export async function becomeAmbiguous(deps: VaultDeps, lease: Lease, problem: string): Promise<void> {
  const { settleSeconds } = deps.config.rotation;
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, {
      state: 'ambiguous',
      problem,
      next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs => ${settleSeconds})`,
      ...RELEASED,
    });
    await entryState(tx, row.entry_id, 'ambiguous');
    await audit(tx, deps, row, 'failed');
  });
}

/**
 * The target is known to hold the candidate: this account of it, whatever the entry names by now, accepted a
 * login.
 */
export async function promote(deps: VaultDeps, lease: Lease, account: AccountKey): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, {
      state: 'verified',
      problem: '',
      next_attempt_at: null,
      finished_at: sql<Date>`clock_timestamp()`,
      ...RELEASED,
    });
    await promoteVersion(tx, row.entry_id, row.version);
    await tx
      .updateTable('entries')
      .set({
        last_rotated_at: sql<Date>`now()`,
        last_verified_at: sql<Date>`now()`,
        next_rotation_at: sql<Date | null>`CASE WHEN rotation_interval_hours > 0
          THEN now() + make_interval(hours => rotation_interval_hours) END`,
        rotation_cause: null,
      })
      .where('id', '=', row.entry_id)
      .execute();
    // The target starts to count anew, too, and has just accepted this version.
    await tx
      .updateTable('accounts')
      .set({
        probes: 0,
        probe_window_at: null,
        accepted_entry_id: row.entry_id,
        accepted_version: row.version,
      })
      .where('target_key', '=', account.target)
      .where('account_key', '=', account.account)
      .execute();
    await audit(tx, deps, row, 'allowed');
  });
}

/** Over without success. `refused`: the target surely kept the current secret. `out_of_sync`: it holds none that is known. */
export async function finish(
  deps: VaultDeps,
  lease: Lease,
  state: 'refused' | 'out_of_sync',
  problem: string,
  rejectCandidate: boolean,
): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    await finishIn(tx, deps, lease, state, problem, rejectCandidate);
  });
}

async function finishIn(
  tx: VaultTx,
  deps: VaultDeps,
  lease: Lease,
  state: 'refused' | 'out_of_sync',
  problem: string,
  rejectCandidate: boolean,
): Promise<void> {
  const row = await change(tx, lease, {
    state,
    problem,
    next_attempt_at: null,
    finished_at: sql<Date>`clock_timestamp()`,
    ...RELEASED,
  });
  if (rejectCandidate) await reject(tx, row);
  await tx
    .updateTable('entries')
    .set({
      rotation_state: state === 'refused' ? 'idle' : 'out_of_sync',
      // A secret that somebody saw and no longer should know is not forgotten, nor is a schedule.
      next_rotation_at: sql<Date | null>`CASE
        WHEN next_rotation_at IS NOT NULL THEN greatest(next_rotation_at, now() + interval '1 hour')
        WHEN ${row.trigger} IN ('grant-ended', 'exposure') THEN now() + interval '1 day' END`,
      ...(row.trigger === 'exposure' ? { rotation_cause: row.trigger } : {}),
    })
    .where('id', '=', row.entry_id)
    .execute();
  await audit(tx, deps, row, 'failed');
}

/** The target kept the current secret and dislikes, or never got, the candidate: another one, a few times a day. */
export async function rejectAndRetry(
  deps: VaultDeps,
  lease: Lease,
  problem: string,
): Promise<RotationRow | undefined> {
  const kek = await deps.secrets.keyFor(lease.tenantId);
  return deps.database.withTenant(lease.tenantId, async (tx) => {
    const before = await change(tx, lease, { problem });
    await reject(tx, before);
    const { rejected } = await tx
      .selectFrom('entry_versions')
      .select((eb) => eb.fn.countAll<number>().as('rejected'))
      .where('entry_id', '=', before.entry_id)
      .where('state', '=', 'rejected')
      .where('state_changed_at', '>', sql<Date>`now() - interval '1 day'`)
      .executeTakeFirstOrThrow();
    if (rejected >= deps.config.rotation.maxRejectedPerDay) {
      await finishIn(tx, deps, lease, 'refused', `${problem} No further candidate today.`, false);
      return undefined;
    }
    const entry = await tx
      .selectFrom('entries')
      .select(['tenant_id', 'id', 'type'])
      .where('id', '=', before.entry_id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const version = await storeCandidate(tx, deps, entry, kek, before.requested_by);
    await entryState(tx, entry.id, 'pending');
    return change(tx, lease, { state: 'pending', version, next_attempt_at: sql<Date>`clock_timestamp()` });
  });
}

async function reject(tx: VaultTx, row: RotationRow): Promise<void> {
  await tx
    .updateTable('entry_versions')
    .set({ state: 'rejected' })
    .where('entry_id', '=', row.entry_id)
    .where('version', '=', row.version)
    .where('state', '=', 'pending')
    .execute();
}

async function audit(
  tx: VaultTx,
  deps: VaultDeps,
  row: RotationRow,
  outcome: 'allowed' | 'failed',
): Promise<void> {
  const entry = await tx
    .selectFrom('entries')
    .innerJoin('entry_versions', 'entry_versions.entry_id', 'entries.id')
    .select(['entries.asset_id', 'entry_versions.blob_sha256'])
    .where('entries.id', '=', row.entry_id)
    .where('entry_versions.version', '=', row.version)
    .executeTakeFirstOrThrow();
  await deps.emitter.auditDuty(tx, {
    tenantId: row.tenant_id,
    action: 'vault.entry.rotated',
    outcome,
    subjectType: 'entry',
    subjectId: row.entry_id,
    resourceId: entry.asset_id ?? '',
    requestId: row.id,
    reason: row.problem,
    details: {
      rotationId: row.id,
      state: row.state,
      trigger: row.trigger,
      version: row.version,
      blobSha256: entry.blob_sha256.toString('hex'),
      attempts: row.attempts,
    },
  });
}
