import { type Client, PasswordPolicyControl } from 'ldapts';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { newPasswordProblem } from '../new-password.ts';
import { failureBeforeChange } from '../outcome.ts';
import { changingLogin } from '../rotation-secrets.ts';
import {
  type AccountState,
  assertMayLock,
  changesThatKeep,
  readAccountState,
  restoreState,
} from './account-state.ts';
import { changeRefusal } from './change-refusal.ts';
import type { LdapConfig } from './config.ts';
import { assertLoggedInAs, findAccount, loggedInAs } from './find-account.ts';
import { isTooYoung } from './minimum-age.ts';
import { bindName } from './names.ts';
import { type PasswordChange, sendChange } from './password-change.ts';
import { asLdapResult, said } from './result-codes.ts';
import { searchFailure } from './search-failure.ts';
import { type LdapSession, openSession } from './session.ts';

/**
 * Sets a new password, as the account itself (the bind with the current password shows that no one else
 * changed it) or as an administrator. The change always names the account. As an administrator, reads the
 * state first: an account that cannot log in is `refused`, unless its secret was disclosed; then the password
 * is set and the account stays blocked. Does not verify: bind with the new password afterwards.
 */
export async function rotateLdap(
  config: LdapConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = newPasswordProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  try {
    await using session = await openSession(
      config,
      loginFor(config, account, secrets),
      ctx,
      operationSignal(ctx),
    ).catch(asFailureOf(config));
    return config.rotateAs === 'self'
      ? await rotateAsSelf(session, config, account, secrets, ctx)
      : await rotateAsAdmin(session.client, config, account, secrets, ctx);
  } catch (error) {
    const result = asLdapResult(error);
    return failureBeforeChange(result === undefined ? error : searchFailure(result, error));
  }
}

function loginFor(config: LdapConfig, account: Account, secrets: RotationSecrets) {
  const { username, password } = changingLogin(config, account, secrets);
  return { name: bindName(config, username, config.rotateAs === 'admin'), password };
}

/** The administrator's account cannot log in: that is `permission`, no state of the rotated account. */
function asFailureOf({ rotateAs }: LdapConfig) {
  return (error: unknown): never => {
    if (rotateAs === 'admin' && error instanceof ConnectorError && error.kind === 'not_possible')
      throw new ConnectorError('permission', `The administrator cannot log in: ${error.message}`, {
        cause: error,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    throw error;
  };
}

async function rotateAsSelf(
  { client, mustChange }: LdapSession,
  config: LdapConfig,
  { username }: Account,
  { current, next }: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  // An account that must change its password may do nothing else, not even search.
  const dn =
    (mustChange ? await loggedInAs(client) : undefined) ?? (await findAccount(client, config, username));
  await assertLoggedInAs(client, dn);
  await assertMayChange(ctx);
  const result = await change(client, config, { dn, current, next });
  const mayBeTooYoung =
    config.passwordChange === 'unicodePwd' && result.outcome === 'refused' && result.kind === 'policy';
  return mayBeTooYoung && (await isTooYoung(client, dn))
    ? {
        ...result,
        kind: 'not_now',
        hint: 'Wait until the minimum age of the password has passed, or change it as an administrator (rotateAs admin).',
      }
    : result;
}

async function rotateAsAdmin(
  client: Client,
  config: LdapConfig,
  { username }: Account,
  { next, evenIfBlocked = false }: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const dn = await findAccount(client, config, username);
  const before = await readAccountState(client, dn);
  const { blocked } = before;
  if (blocked !== undefined && !evenIfBlocked) return { outcome: 'refused', ...blocked };
  await assertMayChange(ctx);
  if (config.passwordChange === 'exop') await assertMayLock(client, dn, before);
  const result = await change(client, config, { dn, next, keep: before });
  if (result.outcome !== 'applied') return result;
  const left = (await restoreState(client, dn, before)) ?? blocked;
  return left === undefined
    ? result
    : { outcome: 'applied', blocked: { reason: left.reason, hint: left.hint } };
}

/** Sends the change. After that, only a result that excludes a change is a refusal. */
async function change(
  client: Client,
  config: LdapConfig,
  { dn, current, next, keep }: Omit<PasswordChange, 'keep'> & { readonly keep?: AccountState },
): Promise<RotateResult> {
  const control = new PasswordPolicyControl();
  try {
    const flags = keep === undefined ? [] : changesThatKeep(keep);
    await sendChange(client, config.passwordChange, { dn, current, next, keep: flags }, control);
    return { outcome: 'applied' };
  } catch (error) {
    const result = asLdapResult(error, control);
    if (result === undefined)
      return { outcome: 'ambiguous', reason: 'The connection ended before the server answered the change.' };
    const refusal = changeRefusal(result, config);
    const reason = said(result, [current, next], refusal?.what);
    return refusal === undefined
      ? { outcome: 'ambiguous', reason }
      : { outcome: 'refused', kind: refusal.kind, reason, hint: refusal.hint };
  }
}
