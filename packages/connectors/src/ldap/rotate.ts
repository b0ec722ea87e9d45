import type { Client } from 'ldapts';
import { candidateProblem } from '../candidate-password.ts';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { assertMayChange, operationSignal } from '../deadline.ts';
import { failureBeforeChange } from '../outcome.ts';
import type { LdapConfig } from './config.ts';
import { assertLoggedInAs, findAccount } from './find-account.ts';
import { bindName } from './names.ts';
import { sendChange } from './password-change.ts';
import { asLdapResult, refusalOf, said } from './result-codes.ts';
import { openSession } from './session.ts';

/**
 * Sets a new password, as the account itself (its current password is then the proof that nobody changed it meanwhile) or as the
 * administrator; the change always names the account. Does not verify: bind with the new password afterwards.
 */
export async function rotateLdap(
  config: LdapConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = candidateProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  const isSelf = config.rotateAs === 'self';
  try {
    const login = loginFor(config, account, secrets);
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    const dn = await findAccount(session.client, config, account.username);
    if (isSelf) await assertLoggedInAs(session.client, dn);
    await assertMayChange(ctx);
    return await change(session.client, config, dn, isSelf ? secrets.current : undefined, secrets.next);
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined) return failureBeforeChange(error);
    return failureBeforeChange(new ConnectorError('permission', said(result), { cause: error }));
  }
}

function loginFor(config: LdapConfig, { username }: Account, { current, admin }: RotationSecrets) {
  if (config.rotateAs === 'self') {
    if (current === undefined)
      throw new ConnectorError(
        'configuration',
        'The account rotates itself, which needs its current password.',
      );
    return { name: bindName(config, username, false), password: current };
  }
  if (admin === undefined)
    throw new ConnectorError('configuration', 'This target is rotated by an administrator; none was given.');
  return { name: bindName(config, admin.username, true), password: admin.password };
}

/** From here on the change is on its way: only a result that says that nothing was done is a refusal. */
async function change(
  client: Client,
  config: LdapConfig,
  dn: string,
  current: string | undefined,
  next: string,
): Promise<RotateResult> {
  try {
    await sendChange(client, config.passwordChange, dn, current, next);
    return { outcome: 'applied' };
  } catch (error) {
    const result = asLdapResult(error);
    if (result === undefined)
      return { outcome: 'ambiguous', reason: 'The connection ended before the server answered the change.' };
    const kind = refusalOf(result);
    const reason = said(result, [current, next]);
    return kind === undefined ? { outcome: 'ambiguous', reason } : { outcome: 'refused', kind, reason };
  }
}
