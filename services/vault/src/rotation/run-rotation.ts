import type { VerifyResult } from '@claviger/connectors';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultDeps } from '../deps.ts';
import { SEALED_COLUMNS, type SealedVersion } from '../encryption/secrets.ts';
import { connectorContext, credentialOf, sealedAccount, type Target } from '../targets/load-target.ts';
import { type Lease, LeaseLostError, takeLease } from './lease.ts';
import { giveProbeBack, takeProbe } from './probe-budget.ts';
import { requireRotatable } from './request-rotation.ts';
import type { RotationRow } from './rotation-rows.ts';
import {
  becomeAmbiguous,
  beginApplying,
  finish,
  postpone,
  promote,
  rejectAndRetry,
  waitUntil,
} from './transitions.ts';

/** What one step leads to: a rotation to go on with, or undefined when it is over or waits. */
type Next = RotationRow | undefined;

interface Step {
  readonly deps: VaultDeps;
  readonly lease: Lease;
  readonly rotation: RotationRow;
  readonly signal: AbortSignal;
  /** By the database's clock, when the rotation was taken up. */
  readonly appliedSecondsAgo: number;
}

/** Everything a step needs, opened before anything is changed. */
interface Prepared {
  readonly target: Target;
  readonly username: string;
  readonly candidate: SealedVersion;
  readonly current: SealedVersion;
}

/**
 * Brings one rotation as far as it gets now. Safe to call from anywhere and any number of times: only a due rotation that
 * nobody works on is touched. The candidate was stored before; it is changed on the target, proved by a login, and only then
 * promoted. Whatever the target may have accepted is kept.
 */
export async function runRotation(
  deps: VaultDeps,
  tenantId: string,
  rotationId: string,
  signal: AbortSignal,
): Promise<void> {
  const taken = await takeLease(deps, tenantId, rotationId);
  if (!taken) return;
  using lease = taken.lease;
  let rotation: Next = taken.rotation;
  try {
    while (rotation) {
      const step: Step = { deps, lease, rotation, signal, appliedSecondsAgo: taken.appliedSecondsAgo };
      rotation = rotation.state === 'pending' ? await apply(step) : await findOut(step);
    }
  } catch (error) {
    if (error instanceof LeaseLostError) {
      deps.logger.warn({ rotationId }, 'a rotation was taken over by another worker');
      return;
    }
    deps.logger.error({ err: error, rotationId }, 'a rotation met an error; it is taken up again');
    await leaveAfterError(deps, lease);
  }
}

/** Changes the target. */
async function apply(step: Step): Promise<Next> {
  const { deps, lease } = step;
  const prepared = await prepare(step, 'pending');
  if (!prepared) return undefined;
  const { target, username } = prepared;
  const next = await deps.secrets.open(prepared.candidate);
  const current = await deps.secrets.open(prepared.current);
  const admin = target.admin && (await credentialOf(target.admin, deps.secrets));
  const rotation = await beginApplying(deps, lease);
  await failpoint('vault.rotate.after_candidate_stored');
  const result = await target.connector.rotate(
    target.settings,
    { username },
    { current, next, ...(admin ? { admin } : {}) },
    {
      ...connectorContext(target, deps.config.rotation.changeTimeoutMs, step.signal),
      // Whoever takes an expired lease over finds out what the target holds: nothing may change it after that.
      mayChange: lease.isHeld,
    },
  );
  await failpoint('vault.rotate.after_target_change');
  const applied: Step = { ...step, rotation };
  if (result.outcome === 'applied') return prove(applied, prepared);
  if (result.outcome === 'ambiguous') {
    await becomeAmbiguous(deps, lease, result.reason);
    return undefined;
  }
  switch (result.kind) {
    case 'policy':
      return rejectAndRetry(deps, lease, result.reason);
    case 'unreachable':
      await postpone(deps, lease, 'pending', result.reason);
      return undefined;
    case 'permission':
      await finish(deps, lease, 'refused', result.reason, true);
      return undefined;
    case 'authentication':
      // The account's own password no longer opens the target: somebody else has changed it.
      await takeProbe(deps, lease.tenantId, rotation.entry_id);
      await finish(
        deps,
        lease,
        target.settings.rotateAs === 'admin' ? 'refused' : 'out_of_sync',
        result.reason,
        true,
      );
      return undefined;
  }
}

/** The target says it has changed: a login with the new secret proves it. */
async function prove(step: Step, prepared: Prepared): Promise<Next> {
  const { deps, lease } = step;
  const verdict = await login(step, prepared, prepared.candidate);
  if (verdict.outcome === 'accepted') return win(step);
  if (verdict.outcome === 'unknown') {
    await becomeAmbiguous(deps, lease, `The change was reported as done but not proved: ${verdict.reason}`);
    return undefined;
  }
  await takeProbe(deps, lease.tenantId, step.rotation.entry_id);
  const former = await login(step, prepared, prepared.current);
  const said = 'The target reported the change as done, but refuses the new secret';
  if (former.outcome === 'accepted') {
    await finish(deps, lease, 'refused', `${said} and keeps the former one.`, true);
  } else if (former.outcome === 'refused') {
    await takeProbe(deps, lease.tenantId, step.rotation.entry_id);
    await finish(deps, lease, 'out_of_sync', `${said} and the former one.`, false);
  } else {
    await becomeAmbiguous(deps, lease, `${said}; the former one could not be tried: ${former.reason}`);
  }
  return undefined;
}

/** After a crash or an unclear answer: asks the target which secret it holds, the newest first. */
async function findOut(step: Step): Promise<Next> {
  const { deps, lease } = step;
  const remainingSeconds = deps.config.rotation.settleSeconds - step.appliedSecondsAgo;
  // A change that is still under way must not be taken for one that never happened.
  if (remainingSeconds > 0) {
    await waitUntil(deps, lease, sql<Date>`clock_timestamp() + make_interval(secs => ${remainingSeconds})`);
    return undefined;
  }
  const prepared = await prepare(step, 'ambiguous');
  if (!prepared) return undefined;
  const candidate = await probe(step, prepared, prepared.candidate);
  if (!candidate) return undefined;
  if (candidate.outcome === 'accepted') return win(step);
  const current = await probe(step, prepared, prepared.current);
  if (!current) return undefined;
  if (current.outcome === 'accepted') {
    return rejectAndRetry(deps, lease, 'The target had not taken the change.');
  }
  await finish(
    deps,
    lease,
    'out_of_sync',
    'The target refuses the new secret and the current one: recover the candidates, or set it by hand.',
    false,
  );
  return undefined;
}

/** A login within the lockout budget. Undefined when it must wait, or told nothing: that is written down already. */
async function probe(
  step: Step,
  prepared: Prepared,
  version: SealedVersion,
): Promise<Exclude<VerifyResult, { outcome: 'unknown' }> | undefined> {
  const { deps, lease, rotation } = step;
  const nextAt = await takeProbe(deps, lease.tenantId, rotation.entry_id);
  if (nextAt) {
    await waitUntil(
      deps,
      lease,
      sql<Date>`${nextAt.toISOString()}::timestamptz`,
      'Waiting, so that probing does not lock the account.',
    );
    return undefined;
  }
  const verdict = await login(step, prepared, version);
  if (verdict.outcome !== 'refused') await giveProbeBack(deps, lease.tenantId, rotation.entry_id);
  if (verdict.outcome !== 'unknown') return verdict;
  await postpone(deps, lease, 'ambiguous', verdict.reason);
  return undefined;
}

async function win({ deps, lease }: Step): Promise<undefined> {
  await failpoint('vault.rotate.before_promote');
  await promote(deps, lease);
}

async function login(
  { deps, signal }: Step,
  { target, username }: Prepared,
  version: SealedVersion,
): Promise<VerifyResult> {
  return target.connector.verify(
    target.settings,
    { username },
    await deps.secrets.open(version),
    connectorContext(target, deps.config.rotation.verifyTimeoutMs, signal),
  );
}

/** Reads what the step works on. Undefined when it cannot go on now: the rotation then waits. */
async function prepare(
  step: Step,
  stateWhileWaiting: 'pending' | 'ambiguous',
): Promise<Prepared | undefined> {
  const { deps, lease, rotation } = step;
  try {
    deps.secrets.requireOpen();
    return await deps.database.readTenant(lease.tenantId, async (reader) => {
      const entry = await reader
        .selectFrom('entries')
        .select(['id', 'type', 'asset_id', 'username'])
        .where('id', '=', rotation.entry_id)
        .executeTakeFirstOrThrow();
      const target = await requireRotatable(reader, entry);
      const account = await sealedAccount(reader, entry.id);
      const candidate = await reader
        .selectFrom('entry_versions')
        .select(SEALED_COLUMNS)
        .where('entry_id', '=', entry.id)
        .where('version', '=', rotation.version)
        .executeTakeFirstOrThrow();
      if (!account) throw ClavigerError.notFound();
      return { target, username: entry.username, candidate, current: account.version };
    });
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    await postpone(deps, lease, stateWhileWaiting, error.message);
    return undefined;
  }
}

/** Leaves a rotation so that it is taken up again; where even that fails, its lease runs out. */
async function leaveAfterError(deps: VaultDeps, lease: Lease): Promise<void> {
  try {
    const row = await deps.database.readTenant(lease.tenantId, (reader) =>
      reader
        .selectFrom('rotations')
        .select(['state', 'lease_owner'])
        .where('id', '=', lease.rotationId)
        .executeTakeFirst(),
    );
    if (row?.lease_owner !== lease.owner) return;
    if (row.state === 'applying') {
      await becomeAmbiguous(deps, lease, 'The outcome could not be recorded; it is found out again.');
    } else if (row.state === 'pending' || row.state === 'ambiguous') {
      await postpone(deps, lease, row.state, 'An internal error occurred; it is tried again.');
    }
  } catch (error) {
    deps.logger.error({ err: error, rotationId: lease.rotationId }, 'a rotation waits for its lease to end');
  }
}
