import { isDisclosure } from './disclosure-triggers.ts';
import { logIn, type Prepared, type Step } from './rotation-step.ts';
import { finish, noteFirstLogin, postpone, waitForBudget } from './transitions.ts';

const STORE_OR_SAY_LOST =
  'Store the secret that the account has now (`claviger entries update`), or say that nobody knows it: ' +
  '`claviger entries rotate --secret-lost`.';

/**
 * Logs in with the current secret before an administrator sets another one: an account that Claviger could not
 * log in to before would be changed, and no login could prove the change. Answers whether to go on; where not,
 * the rotation's row says why. After a disclosure it goes on in any case, and the row tells what the target said:
 * whoever saw the secret may have changed it. A secret that is said to be lost is not tried; one that the target
 * never accepted may be wrong. What the target refused is not tried again: that would cost a login each time.
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
  await noteFirstLogin(
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
        // What the target's answer may mean besides stands after what to do.
        hint: hint === undefined ? STORE_OR_SAY_LOST : `${STORE_OR_SAY_LOST} ${hint}`,
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
      text: `A login with the current secret could not be made; nothing was changed. ${reason}`,
      hint: hint ?? 'Make a login possible, then verify the entry: `claviger entries verify`.',
    },
    true,
  );
  return false;
}
