import { candidateProblem } from '../candidate-password.ts';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { failureBeforeChange } from '../outcome.ts';
import { isAccountName } from './account-name.ts';
import type { SshConfig } from './config.ts';
import { rotateAsAdmin } from './rotate-as-admin.ts';
import { rotateAsSelf } from './rotate-as-self.ts';
import { openSession } from './session.ts';

/**
 * Sets a new password, as the account itself (its current password is then the proof that nobody changed it
 * meanwhile) or as the administrator. Does not verify: log in with the new password afterwards.
 */
export async function rotateSsh(
  config: SshConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = candidateProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  const { username } = account;
  const signal = operationSignal(ctx);
  try {
    if (!isAccountName(username))
      throw new ConnectorError('configuration', 'The account name is not one that Linux hosts use.');
    if (config.rotateAs === 'admin') {
      const { admin } = secrets;
      if (admin === undefined)
        throw new ConnectorError(
          'configuration',
          'This target is rotated by an administrator; none was given.',
        );
      await using session = await openSession(config, admin, ctx, signal);
      return await rotateAsAdmin(session, config, username, secrets, ctx);
    }
    const { current, next } = secrets;
    if (current === undefined || /[\r\n\0]/.test(current))
      throw new ConnectorError(
        'configuration',
        'The account rotates itself, which needs its current password.',
      );
    await using session = await openSession(config, { username, password: current }, ctx, signal);
    return await rotateAsSelf(session, username, current, next, ctx);
  } catch (error) {
    return failureBeforeChange(error);
  }
}
