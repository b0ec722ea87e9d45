import { isDisclosure } from './disclosure-triggers.ts';
import { logIn, type Prepared, type Step } from './rotation-step.ts';
import { finish, postpone, recordFirstLogin, waitForBudget } from './transitions.ts';

const STORE_OR_DECLARE_LOST =
  'Store the secret that the account has now (`claviger entries update`), or declare it lost: ' +
  '`claviger entries rotate --secret-lost`.';

/**
 * Logs in with the current secret before the admin entry sets another one. If that login is impossible, no
 * login could verify the change either. Returns whether to continue; if not, the rotation's row has the
 * reason.
 *
 * After a disclosure the rotation always continues and its row has the result, because an actor who saw the
 * secret may have changed it. A lost secret is not tried. A secret that the target never accepted may be
 * wrong, so its refusal does not stop the rotation. A refused secret is not tried again, because each login
 * counts.
 */
export async function checkCurrentSecret(step: Step, prepared: Prepared): Promise<boolean> {
  const { deps, lease, rotation } = step;
  const isDisclosed = isDisclosure(rotation.trigger);
  const said = rotation.first_login;
  if (rotation.secret_lost || said === 'refused' || (isDisclosed && said === 'accepted')) return true;
  const verdict = await logIn(step, prepared, prepared.current.version);
  if (verdict.outcome === 'spent' && !isDisclosed) {
    await waitForBudget(deps, lease, verdict.nextAt);
    return false;
  }
  await recordFirstLogin(
    deps,
    lease,
    prepared.current,
    verdict.outcome === 'spent' ? 'not_tried' : verdict.outcome,
  );
  if (isDisclosed || verdict.outcome === 'accepted' || verdict.outcome === 'spent') return true;
  const { reason, hint } = verdict;
  if (verdict.outcome === 'refused') {
    if (!prepared.everVerified) return true;
    await finish(
      deps,
      lease,
      'refused',
      {
        kind: 'authentication',
        text: `The target refuses the current secret; nothing was changed. ${reason}`,
        // The hint of the target follows the instruction.
        hint: hint === undefined ? STORE_OR_DECLARE_LOST : `${STORE_OR_DECLARE_LOST} ${hint}`,
      },
      true,
    );
    return false;
  }
  const { kind } = verdict;
  if (kind === 'unreachable' || kind === 'not_now') {
    await postpone(deps, lease, 'pending', { kind, text: reason, hint: hint ?? '' });
    return false;
  }
  await finish(
    deps,
    lease,
    'refused',
    {
      kind,
      text: `A login with the current secret was not possible; nothing was changed. ${reason}`,
      hint: hint ?? 'Correct the cause, then verify the entry: `claviger entries verify`.',
    },
    true,
  );
  return false;
}
