import type { VerifyResult } from '@claviger/connectors';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import { giveProbeBack, noteRefusal, takeProbe } from '../accounts/probe-budget.ts';
import type { VaultDeps } from '../deps.ts';
import { SEALED_COLUMNS, type SealedVersion } from '../encryption/secrets.ts';
import { connectorOf } from '../targets/connector-of.ts';
import {
  connectorContext,
  credentialOf,
  sealedAccount,
  storedSecret,
  type Target,
} from '../targets/load-target.ts';
import { type ChangingLogin, changingLogin, countLogin, settleLogin } from './changing-login.ts';
import { type Lease, LeaseLostError, takeLease } from './lease.ts';
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
  readonly login: ChangingLogin;
}

/** The budget of logins is spent: the next one may be tried then. */
interface Spent {
  readonly outcome: 'spent';
  readonly nextAt: Date;
}

const WAITS_FOR_BUDGET = 'Waiting: another login that fails could lock the account.';

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
  const counted = await countLogin(deps, lease.tenantId, prepared.login);
  if (counted instanceof Date) {
    await waitForBudget(step, counted);
    return undefined;
  }
  const rotation = await beginApplying(deps, lease, counted);
  await failpoint('vault.rotate.after_candidate_stored');
  const result = await connectorOf(deps, lease.tenantId, target).rotate(
    target.settings,
    { username },
    { current, next, ...(admin ? { admin } : {}) },
    {
      ...connectorContext(deps, target, deps.config.rotation.changeTimeoutMs, step.signal),
      // Whoever takes an expired lease over finds out what the target holds: nothing may change it after that.
      mayChange: lease.heldForMs,
    },
  );
  await failpoint('vault.rotate.after_target_change');
  const applied: Step = { ...step, rotation };
  const loginRefused = result.outcome === 'refused' && result.kind === 'authentication';
  const loginOutcome = loginRefused ? 'refused' : result.outcome === 'applied' ? 'accepted' : 'unknown';
  await settleLogin(deps, lease, prepared.login, loginOutcome);
  if (result.outcome === 'applied') return prove(applied, prepared);
  if (result.outcome === 'ambiguous') {
    await becomeAmbiguous(deps, lease, result.reason);
    return undefined;
  }
  switch (result.kind) {
    case 'policy':
      return rejectAndRetry(deps, lease, result.reason);
    case 'unreachable':
    case 'not_now':
      await postpone(deps, lease, 'pending', result.reason);
      return undefined;
    case 'permission':
    case 'not_possible':
      await finish(deps, lease, 'refused', result.reason, true);
      return undefined;
    case 'authentication':
      // The account's own password no longer opens the target: somebody else has changed it.
      await finish(deps, lease, prepared.login.isAdmin ? 'refused' : 'out_of_sync', result.reason, true);
      return undefined;
  }
}

/** The target says it has changed: a login with the new secret proves it. */
async function prove(step: Step, prepared: Prepared): Promise<Next> {
  const { deps, lease } = step;
  const verdict = await login(step, prepared, prepared.candidate);
  if (verdict.outcome === 'accepted') return win(step, prepared);
  if (verdict.outcome !== 'refused') {
    const why = verdict.outcome === 'spent' ? WAITS_FOR_BUDGET : verdict.reason;
    await becomeAmbiguous(deps, lease, `The change was reported as done but not verified: ${why}`);
    return undefined;
  }
  const former = await login(step, prepared, prepared.current);
  const said = 'The target reported the change as done, but refuses the new secret';
  if (former.outcome === 'accepted') {
    await finish(deps, lease, 'refused', `${said} and keeps the former one.`, true);
  } else if (former.outcome === 'refused') {
    await finish(deps, lease, 'out_of_sync', `${said} and the former one.`, false);
  } else {
    const why = former.outcome === 'spent' ? WAITS_FOR_BUDGET : former.reason;
    await becomeAmbiguous(deps, lease, `${said}; the former one could not be tried: ${why}`);
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
  // What was counted when a worker was killed told nothing.
  await settleLogin(deps, lease, prepared.login, 'unknown');
  const candidate = await probe(step, prepared, prepared.candidate);
  if (!candidate) return undefined;
  if (candidate.outcome === 'accepted') return win(step, prepared);
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

/** A login within the budget. Undefined when it must wait, or tells nothing: the rotation's row says so already. */
async function probe(
  step: Step,
  prepared: Prepared,
  version: SealedVersion,
): Promise<Exclude<VerifyResult, { outcome: 'unknown' }> | undefined> {
  const verdict = await login(step, prepared, version);
  if (verdict.outcome === 'accepted' || verdict.outcome === 'refused') return verdict;
  if (verdict.outcome === 'spent') await waitForBudget(step, verdict.nextAt);
  else await postpone(step.deps, step.lease, 'ambiguous', verdict.reason);
  return undefined;
}

/** Until the window is over, or for the usual wait: the logins in the budget may be under way and end well. */
async function waitForBudget({ deps, lease }: Step, nextAt: Date): Promise<void> {
  const { backoffSeconds } = deps.config.rotation;
  const at = sql<Date>`least(${nextAt.toISOString()}::timestamptz,
    clock_timestamp() + make_interval(secs => ${backoffSeconds}))`;
  await waitUntil(deps, lease, at, WAITS_FOR_BUDGET);
}

async function win({ deps, lease }: Step, { target, username }: Prepared): Promise<undefined> {
  await failpoint('vault.rotate.before_promote');
  await promote(deps, lease, accountAt(target, username));
}

/** One login, counted before it is tried. */
async function login(
  { deps, lease, signal }: Step,
  { target, username }: Prepared,
  version: SealedVersion,
): Promise<VerifyResult | Spent> {
  const account = accountAt(target, username);
  const secret = await deps.secrets.open(version);
  const nextAt = await takeProbe(deps, lease.tenantId, account);
  if (nextAt) return { outcome: 'spent', nextAt };
  const ctx = connectorContext(deps, target, deps.config.rotation.verifyTimeoutMs, signal);
  const verdict = await connectorOf(deps, lease.tenantId, target)
    .verify(target.settings, { username }, secret, ctx)
    .catch(unknownWhereBusy);
  if (verdict.outcome === 'refused') await noteRefusal(deps, lease.tenantId, account);
  else await giveProbeBack(deps, lease.tenantId, account);
  return verdict;
}

/** No worker was free: nothing was sent to the target. */
function unknownWhereBusy(error: unknown): VerifyResult {
  if (!isClavigerError(error)) throw error;
  return { outcome: 'unknown', kind: 'unreachable', reason: error.message };
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
        .select(['id', 'type', 'asset_id', 'username', 'account_id', 'unproven'])
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
      const login = changingLogin(target, entry.username, storedSecret(account));
      return { target, username: entry.username, candidate, current: account.version, login };
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
