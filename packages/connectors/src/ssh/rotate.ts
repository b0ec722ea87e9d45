import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { newPasswordProblem } from '../new-password.ts';
import { failureBeforeChange } from '../outcome.ts';
import { requireAdmin, requireCurrent } from '../rotation-secrets.ts';
import { isAccountName } from './account-name.ts';
import type { SshConfig } from './config.ts';
import { rotateAsAdmin } from './rotate-as-admin.ts';
import { rotateAsSelf } from './rotate-as-self.ts';
import { openSession } from './session.ts';

/**
 * Sets a new password, as the account itself (the login with the current password shows that no one else
 * changed it) or as an administrator. Does not verify: log in with the new password afterwards.
 */
export async function rotateSsh(
  config: SshConfig,
  account: Account,
  secrets: RotationSecrets,
  ctx: ConnectorContext,
): Promise<RotateResult> {
  const problem = newPasswordProblem(secrets.next);
  if (problem !== undefined) return { outcome: 'refused', kind: 'policy', reason: problem };
  const { username } = account;
  const signal = operationSignal(ctx);
  try {
    if (!isAccountName(username))
      throw new ConnectorError('configuration', 'The account name is not valid on Linux hosts.');
    if (config.rotateAs === 'admin') {
      await using session = await openSession(config, requireAdmin(secrets), ctx, signal);
      return await rotateAsAdmin(session, config, username, secrets, ctx);
    }
    const current = requireCurrent(secrets);
    if (/[\r\n\0]/.test(current))
      throw new ConnectorError(
        'configuration',
        'A password that is typed in a terminal must have one line.',
        {
          hint: 'Store the password of the account in the entry, or set rotateAs admin.',
        },
      );
    await using session = await openSession(config, { username, password: current }, ctx, signal);
    return await rotateAsSelf(session, username, current, secrets.next, ctx);
  } catch (error) {
    return failureBeforeChange(error);
  }
}
