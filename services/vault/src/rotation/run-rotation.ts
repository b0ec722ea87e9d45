import type { RotateResult } from '@claviger/connectors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import { accountAt } from '../accounts/account-at.ts';
import { connectorOf } from '../targets/connector-of.ts';
import { connectorContext, credentialOf } from '../targets/load-target.ts';
import { asAdmin } from './as-admin.ts';
import { countLogin, settleLogin } from './changing-login.ts';
import { checkCurrentSecret } from './check-current-secret.ts';
import type { RotationDeps } from './deps.ts';
import { isDisclosure } from './disclosure-triggers.ts';
import { type Lease, LeaseLostError, takeLease } from './lease.ts';
import { logIn, mayReset, type Prepared, prepare, type Step } from './rotation-step.ts';
import type { RotationRow } from './rotation-store.ts';
import {
  applyAgain,
  becomeAmbiguous,
  beginApplying,
  finish,
  postpone,
  promote,
  promoteUnverified,
  recordFirstLogin,
  rejectAndRetry,
  WAITS_FOR_BUDGET,
  waitForBudget,
  waitUntil,
} from './transitions.ts';

/** The rotation to continue with, or undefined when it has ended or waits. */
type Next = RotationRow | undefined;

/**
 * Runs one rotation as far as possible now. Repeatable: only a due rotation that no worker holds is touched.
 * The pending version is set on the target, verified with a login, and then promoted. Every secret that the
 * target may have accepted is kept.
 */
export async function runRotation(
  deps: RotationDeps,
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
      rotation = rotation.state === 'pending' ? await apply(step) : await resolveOutcome(step);
    }
  } catch (error) {
    if (error instanceof LeaseLostError) {
      deps.logger.warn({ rotationId }, 'another worker took over a rotation');
      return;
    }
    deps.logger.error({ err: error, rotationId }, 'a rotation failed with an error; it is retried');
    await releaseAfterError(deps, lease);
  }
}

/** Changes the target. */
async function apply(step: Step): Promise<Next> {
  const { deps, lease } = step;
  const prepared = await prepare(step, 'pending');
  if (!prepared) return undefined;
  if (prepared.login.isAdmin && !(await checkCurrentSecret(step, prepared))) return undefined;
  await failpoint('vault.rotate.after_current_checked');
  const counted = await countLogin(deps, lease.tenantId, prepared.login);
  if (counted instanceof Date) {
    await waitForBudget(deps, lease, counted);
    return undefined;
  }
  const rotation = await beginApplying(deps, lease, counted);
  await failpoint('vault.rotate.after_candidate_stored');
  const result = await change(step, prepared);
  await failpoint('vault.rotate.after_target_change');
  const applied: Step = { ...step, rotation };
  const loginRefused = result.outcome === 'refused' && result.kind === 'authentication';
  const loginOutcome = loginRefused ? 'refused' : result.outcome === 'applied' ? 'accepted' : 'unknown';
  await settleLogin(deps, lease, prepared.login, loginOutcome);
  if (result.outcome === 'applied') return verifyChange(applied, prepared, result);
  if (result.outcome === 'ambiguous') {
    await becomeAmbiguous(deps, lease, { text: result.reason });
    return undefined;
  }
  return afterRefusal(applied, prepared, result);
}

async function change(step: Step, prepared: Prepared): Promise<RotateResult> {
  const { deps, lease, rotation, signal } = step;
  const { target, username, login } = prepared;
  const next = await deps.secrets.decrypt(prepared.pendingVersion);
  const current = await deps.secrets.decrypt(prepared.current.version);
  const admin = target.admin && (await credentialOf(target.admin, deps.secrets));
  return connectorOf(deps, lease.tenantId, target).rotate(
    target.settings,
    { username },
    {
      current,
      next,
      ...(admin ? { admin } : {}),
      ...(login.isAdmin && isDisclosure(rotation.trigger) ? { evenIfBlocked: true } : {}),
    },
    {
      ...connectorContext(deps, target, deps.config.rotation.changeTimeoutMs, signal),
      // A worker that takes over the expired lease tests which secret the target holds, so this worker must
      // not change the target after that.
      mayChange: lease.heldForMs,
    },
  );
}

/**
 * Continues after a change that the target did not make. The kind of refusal decides: another pending
 * version, a later attempt, or the end of the rotation.
 */
async function afterRefusal(
  step: Step,
  prepared: Prepared,
  { kind, reason, hint = '' }: Extract<RotateResult, { outcome: 'refused' }>,
): Promise<Next> {
  const { deps, lease } = step;
  const problem = { kind, text: reason, hint };
  switch (kind) {
    case 'policy':
      return rejectAndRetry(deps, lease, problem);
    case 'unreachable':
    case 'not_now':
      await postpone(deps, lease, 'pending', problem);
      return undefined;
    case 'permission':
    case 'not_possible':
      await finish(deps, lease, 'refused', problem, true);
      return undefined;
    case 'authentication':
      if (prepared.login.isAdmin) {
        await finish(deps, lease, 'refused', problem, true);
        return undefined;
      }
      // The target refuses the account's own password: it was changed outside Claviger.
      if (mayReset(step, prepared)) {
        await recordFirstLogin(deps, lease, prepared.current, 'refused');
        return applyAgain(deps, lease, problem);
      }
      await finish(deps, lease, 'out_of_sync', { ...problem, hint: withManualSteps(hint) }, true);
      return undefined;
  }
}

/** The target reports the change. A login with the new secret verifies it, if the account can log in. */
async function verifyChange(
  step: Step,
  prepared: Prepared,
  { blocked }: Extract<RotateResult, { outcome: 'applied' }>,
): Promise<Next> {
  const { deps, lease } = step;
  if (blocked) {
    const text = `The target reported the change, and no login can verify it. ${blocked.reason}`;
    await promoteUnverified(deps, lease, { kind: 'not_possible', text, hint: blocked.hint });
    return undefined;
  }
  const verdict = await logIn(step, prepared, prepared.pendingVersion);
  if (verdict.outcome === 'accepted') return promoteVerified(step, prepared);
  if (verdict.outcome !== 'refused') {
    const { why, ...problem } = inconclusive(verdict);
    if (prepared.login.isAdmin && problem.kind === 'not_possible') {
      const text = `The target reported the change, and no login can verify it. ${why}`;
      await promoteUnverified(deps, lease, { ...problem, text });
    } else {
      const text = `The target reported the change, but it is not verified: ${why}`;
      await becomeAmbiguous(deps, lease, { ...problem, text });
    }
    return undefined;
  }
  const former = await logIn(step, prepared, prepared.current.version);
  const said = 'The target reported the change, but refuses the new secret';
  const { hint = '' } = verdict;
  if (former.outcome === 'accepted') {
    const text = `${said} and keeps the former one.`;
    await finish(deps, lease, 'refused', { kind: 'authentication', text, hint }, true);
  } else if (former.outcome === 'refused') {
    const text = `${said} and the former one.`;
    const problem = { kind: 'authentication', text, hint: withManualSteps(hint) } as const;
    await finish(deps, lease, 'out_of_sync', problem, false);
  } else {
    const { why, ...problem } = inconclusive(former);
    const text = `${said}; a login with the former one was inconclusive: ${why}`;
    await becomeAmbiguous(deps, lease, { ...problem, text });
  }
  return undefined;
}

/** Why a login was inconclusive. */
function inconclusive(
  verdict: Exclude<Awaited<ReturnType<typeof logIn>>, { outcome: 'accepted' | 'refused' }>,
) {
  if (verdict.outcome === 'spent') return { kind: 'not_now', why: WAITS_FOR_BUDGET, hint: '' } as const;
  return { kind: verdict.kind, why: verdict.reason, hint: verdict.hint ?? '' } as const;
}

/** After a crash or a change in doubt: tries the pending and the current secret on the target. */
async function resolveOutcome(step: Step): Promise<Next> {
  const { deps, lease } = step;
  const remainingSeconds = deps.config.rotation.settleSeconds - step.appliedSecondsAgo;
  // A change that is still running must not count as one that did not happen.
  if (remainingSeconds > 0) {
    await waitUntil(deps, lease, sql<Date>`clock_timestamp() + make_interval(secs => ${remainingSeconds})`);
    return undefined;
  }
  const prepared = await prepare(step, 'ambiguous');
  if (!prepared) return undefined;
  // A killed worker did not record the outcome of its login.
  await settleLogin(deps, lease, prepared.login, 'unknown');
  const pending = await logIn(step, prepared, prepared.pendingVersion);
  if (pending.outcome === 'accepted') return promoteVerified(step, prepared);
  if (pending.outcome !== 'refused') return retryLater(step, prepared, pending);
  const current = await logIn(step, prepared, prepared.current.version);
  if (current.outcome === 'accepted') {
    return rejectAndRetry(deps, lease, { text: 'The target still holds the current secret.' });
  }
  if (current.outcome !== 'refused') return retryLater(step, prepared, current);
  if (mayReset(step, prepared)) {
    await recordFirstLogin(deps, lease, prepared.current, 'refused');
    const text = 'The target accepts neither secret: the admin entry sets another one.';
    return rejectAndRetry(deps, lease, { kind: 'authentication', text });
  }
  const text = 'The target refuses the new secret and the current one.';
  const hint = withManualSteps(pending.hint ?? current.hint ?? '');
  await finish(deps, lease, 'out_of_sync', { kind: 'authentication', text, hint }, false);
  return undefined;
}

const SET_BY_HAND =
  'Recover the possible secrets (POST /api/v1/vault/entries/{entryId}/candidates) and store the one that the target ' +
  'accepts, or set the password on the target by hand and store it. With an admin entry on the resource, ' +
  '`claviger entries rotate --secret-lost` sets a new one.';

/** The instruction, followed by the hint of the target. */
const withManualSteps = (hint: string) => (hint === '' ? SET_BY_HAND : `${SET_BY_HAND} ${hint}`);

/**
 * Retries when a login must wait or was inconclusive. After a disclosure, if the account cannot log in, the
 * admin entry sets the secret once more.
 */
async function retryLater(
  step: Step,
  prepared: Prepared,
  verdict: Parameters<typeof inconclusive>[0],
): Promise<Next> {
  const { deps, lease, rotation } = step;
  if (verdict.outcome === 'spent') {
    await waitForBudget(deps, lease, verdict.nextAt);
    return undefined;
  }
  const { why, ...problem } = inconclusive(verdict);
  if (problem.kind === 'not_possible' && isDisclosure(rotation.trigger) && asAdmin(prepared.target))
    return applyAgain(deps, lease, { ...problem, text: why });
  await postpone(deps, lease, 'ambiguous', { ...problem, text: why });
  return undefined;
}

async function promoteVerified({ deps, lease }: Step, { target, username }: Prepared): Promise<undefined> {
  await failpoint('vault.rotate.before_promote');
  await promote(deps, lease, accountAt(target, username));
}

/** Releases a rotation so that it is retried. If that fails as well, its lease expires. */
async function releaseAfterError(deps: RotationDeps, lease: Lease): Promise<void> {
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
      await becomeAmbiguous(deps, lease, {
        text: 'The outcome could not be recorded; the target is asked again.',
      });
    } else if (row.state === 'pending' || row.state === 'ambiguous') {
      await postpone(deps, lease, row.state, { text: 'Internal error; the rotation is retried.' });
    }
  } catch (error) {
    deps.logger.error(
      { err: error, rotationId: lease.rotationId },
      'a rotation could not be released; it is retried when its lease has expired',
    );
  }
}
