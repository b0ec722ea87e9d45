import type { AccountKey } from '@claviger/connectors';
import { requireActiveTenant } from '@claviger/database';
import { type RawBuilder, sql } from 'kysely';
import { promoteVersion } from '../entries/promote-version.ts';
import type { EntryRotationState, FirstLogin, ProblemKind, RotationState, VaultTx } from '../schema.ts';
import type { EncryptedAccount } from '../targets/load-target.ts';
import type { RotationDeps } from './deps.ts';
import { isDisclosure } from './disclosure-triggers.ts';
import { type Lease, LeaseLostError } from './lease.ts';
import { storePendingVersion } from './request-rotation.ts';
import type { RotationRow } from './rotation-store.ts';

const MAX_BACKOFF_SECONDS = 3_600;
export const WAITS_FOR_BUDGET = 'Waiting: another failed login could lock the account.';

/** The reason why a rotation waits or has ended, in a text for people. */
export interface Problem {
  readonly text: string;
  readonly kind?: ProblemKind;
  readonly hint?: string;
}

const problemColumns = ({ text, kind = '', hint = '' }: Problem) => ({
  problem: text,
  problem_kind: kind,
  hint,
});

type Change = Partial<{
  state: RotationState;
  version: number;
  attempts: RawBuilder<number>;
  next_attempt_at: RawBuilder<Date> | null;
  applied_at: RawBuilder<Date>;
  login_counted: boolean;
  problem: string;
  problem_kind: ProblemKind;
  hint: string;
  first_login: FirstLogin;
  finished_at: RawBuilder<Date>;
  lease_owner: null;
  lease_until: null;
}>;

const RELEASED = { lease_owner: null, lease_until: null } as const;

/** Every write of a worker asserts the lease in the transaction of its effects. */
async function change(tx: VaultTx, lease: Lease, set: Change): Promise<RotationRow> {
  const row = await tx
    .updateTable('rotations')
    .set(set as never)
    .where('id', '=', lease.rotationId)
    .where('lease_owner', '=', lease.owner)
    .where('finished_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new LeaseLostError('Another worker holds the rotation.');
  return row;
}

async function entryState(tx: VaultTx, entryId: string, state: EntryRotationState): Promise<void> {
  await tx.updateTable('entries').set({ rotation_state: state }).where('id', '=', entryId).execute();
}

/** Records that the change of the target starts now. */
export function beginApplying(deps: RotationDeps, lease: Lease, loginCounted: boolean): Promise<RotationRow> {
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

/** Records the target's answer to the current secret. An entry whose secret it accepted is verified. */
export async function recordFirstLogin(
  deps: RotationDeps,
  lease: Lease,
  { entryId, version, accountId }: EncryptedAccount,
  said: FirstLogin,
): Promise<RotationRow> {
  return deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, { first_login: said });
    if (said === 'accepted')
      await tx
        .updateTable('entries')
        .set({ last_verified_at: sql<Date>`now()` })
        .where('id', '=', entryId)
        .where('current_version', '=', version.version)
        .where('account_id', 'is not distinct from', accountId)
        .execute();
    return row;
  });
}

/**
 * Sets the same pending version again at once: its state on the target is unknown, and a repetition does no
 * harm.
 */
export async function applyAgain(deps: RotationDeps, lease: Lease, problem: Problem): Promise<RotationRow> {
  return deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, {
      state: 'pending',
      ...problemColumns(problem),
      next_attempt_at: sql<Date>`clock_timestamp()`,
    });
    await entryState(tx, row.entry_id, 'pending');
    return row;
  });
}

/**
 * Retries later with the same pending version. A rotation that has not changed its target records an event
 * when it starts to wait, and when the reason changes.
 */
export async function postpone(
  deps: RotationDeps,
  lease: Lease,
  state: 'pending' | 'ambiguous',
  problem: Problem,
): Promise<void> {
  const { backoffSeconds } = deps.config.rotation;
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const before = await tx
      .selectFrom('rotations')
      .select(['problem', 'problem_kind'])
      .where('id', '=', lease.rotationId)
      .executeTakeFirstOrThrow();
    const row = await change(tx, lease, {
      state,
      ...problemColumns(problem),
      attempts: sql<number>`attempts + 1`,
      next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs =>
        least(${backoffSeconds} * power(2, least(attempts, 12)), ${MAX_BACKOFF_SECONDS}))`,
      ...RELEASED,
    });
    await entryState(tx, row.entry_id, state);
    const isNew = before.problem === '' || before.problem_kind !== row.problem_kind;
    if (state === 'pending' && isNew) await audit(tx, deps, row, 'failed');
  });
}

/** Waits until the window ends, at most for the usual delay: the counted logins may still succeed. */
export async function waitForBudget(deps: RotationDeps, lease: Lease, nextAt: Date): Promise<void> {
  const { backoffSeconds } = deps.config.rotation;
  const at = sql<Date>`least(${nextAt.toISOString()}::timestamptz,
    clock_timestamp() + make_interval(secs => ${backoffSeconds}))`;
  await waitUntil(deps, lease, at, { kind: 'not_now', text: WAITS_FOR_BUDGET });
}

/** Waits until a given time: after the settle time, or until the account may be probed again. */
export async function waitUntil(
  deps: RotationDeps,
  lease: Lease,
  at: RawBuilder<Date>,
  problem?: Problem,
): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    await change(tx, lease, {
      next_attempt_at: at,
      ...(problem === undefined ? {} : problemColumns(problem)),
      ...RELEASED,
    });
  });
}

/**
 * The target may or may not have changed: both secrets are kept, and logins resolve the doubt after the
 * settle time.
 */
export async function becomeAmbiguous(deps: RotationDeps, lease: Lease, problem: Problem): Promise<void> {
  const { settleSeconds } = deps.config.rotation;
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await change(tx, lease, {
      state: 'ambiguous',
      ...problemColumns(problem),
      next_attempt_at: sql<Date>`clock_timestamp() + make_interval(secs => ${settleSeconds})`,
      ...RELEASED,
    });
    await entryState(tx, row.entry_id, 'ambiguous');
    await audit(tx, deps, row, 'failed');
  });
}

/**
 * The target holds the pending version: it accepted a login to this account, whatever account the entry names
 * now.
 */
export async function promote(deps: RotationDeps, lease: Lease, account: AccountKey): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    const row = await promoteIn(tx, lease, 'verified', { text: '' });
    await tx
      .updateTable('entries')
      .set({ last_verified_at: sql<Date>`now()` })
      .where('id', '=', row.entry_id)
      .execute();
    // The target has just accepted this version, so it resets its own count of failed logins as well.
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

/**
 * The target reported the change of an account that cannot log in, so no login can verify it. The pending
 * version becomes current and counts as never verified; the former secret is kept as previous.
 */
export async function promoteUnverified(deps: RotationDeps, lease: Lease, problem: Problem): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    await audit(tx, deps, await promoteIn(tx, lease, 'unverified', problem), 'allowed');
  });
}

async function promoteIn(
  tx: VaultTx,
  lease: Lease,
  state: 'verified' | 'unverified',
  problem: Problem,
): Promise<RotationRow> {
  const row = await change(tx, lease, {
    state,
    ...problemColumns(problem),
    next_attempt_at: null,
    finished_at: sql<Date>`clock_timestamp()`,
    ...RELEASED,
  });
  await promoteVersion(tx, row.entry_id, row.version);
  await tx
    .updateTable('entries')
    .set({
      last_rotated_at: sql<Date>`now()`,
      next_rotation_at: sql<Date | null>`CASE WHEN rotation_interval_hours > 0
        THEN now() + make_interval(hours => rotation_interval_hours) END`,
      rotation_cause: null,
    })
    .where('id', '=', row.entry_id)
    .execute();
  return row;
}

/**
 * Ends a rotation without success. `refused`: the target kept the current secret. `out_of_sync`: it accepts
 * none of the stored secrets.
 */
export async function finish(
  deps: RotationDeps,
  lease: Lease,
  state: 'refused' | 'out_of_sync',
  problem: Problem,
  rejectPendingVersion: boolean,
): Promise<void> {
  await deps.database.withTenant(lease.tenantId, async (tx) => {
    await finishIn(tx, deps, lease, state, problem, rejectPendingVersion);
  });
}

async function finishIn(
  tx: VaultTx,
  deps: RotationDeps,
  lease: Lease,
  state: 'refused' | 'out_of_sync',
  problem: Problem,
  rejectPendingVersion: boolean,
): Promise<void> {
  const row = await change(tx, lease, {
    state,
    ...problemColumns(problem),
    next_attempt_at: null,
    finished_at: sql<Date>`clock_timestamp()`,
    ...RELEASED,
  });
  if (rejectPendingVersion) await reject(tx, row);
  const disclosure = isDisclosure(row.trigger) ? row.trigger : undefined;
  const isDisclosed = disclosure !== undefined;
  await tx
    .updateTable('entries')
    .set({
      // A lost secret stays lost when the target refuses another one.
      rotation_state: state === 'refused' && !row.secret_lost ? 'idle' : 'out_of_sync',
      // The due queue keeps a disclosed secret and a schedule. A disclosure during this rotation gets a
      // rotation of its own.
      next_rotation_at: sql<Date | null>`CASE
        WHEN rotation_cause IS NOT NULL AND NOT ${isDisclosed} THEN next_rotation_at
        WHEN next_rotation_at IS NOT NULL THEN greatest(next_rotation_at, now() + interval '1 hour')
        WHEN ${isDisclosed} THEN now() + interval '1 day' END`,
      ...(disclosure ? { rotation_cause: disclosure } : {}),
    })
    .where('id', '=', row.entry_id)
    .execute();
  await audit(tx, deps, row, 'failed');
}

/**
 * The target kept the current secret and refused, or never received, the pending version. Stores another one,
 * a limited number of times per day.
 */
export async function rejectAndRetry(
  deps: RotationDeps,
  lease: Lease,
  problem: Problem,
): Promise<RotationRow | undefined> {
  const kek = await deps.secrets.keyFor(lease.tenantId);
  return deps.database.withTenant(lease.tenantId, async (tx) => {
    const before = await change(tx, lease, problemColumns(problem));
    await reject(tx, before);
    const { rejected } = await tx
      .selectFrom('entry_versions')
      .select((eb) => eb.fn.countAll<number>().as('rejected'))
      .where('entry_id', '=', before.entry_id)
      .where('state', '=', 'rejected')
      .where('state_changed_at', '>', sql<Date>`now() - interval '1 day'`)
      .executeTakeFirstOrThrow();
    if (rejected >= deps.config.rotation.maxRejectedPerDay) {
      const text = `${problem.text} No further attempt today.`;
      await finishIn(tx, deps, lease, 'refused', { ...problem, text }, false);
      return undefined;
    }
    const entry = await tx
      .selectFrom('entries')
      .select(['tenant_id', 'id', 'type'])
      .where('id', '=', before.entry_id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const version = await storePendingVersion(tx, deps, entry, kek, before.requested_by);
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
  deps: RotationDeps,
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
      ...(row.problem_kind ? { problemKind: row.problem_kind } : {}),
      ...(row.first_login ? { firstLogin: row.first_login } : {}),
      ...(row.secret_lost ? { secretLost: true } : {}),
    },
  });
}
