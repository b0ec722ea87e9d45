import { candidateProblem } from '../candidate-password.ts';
import type { Account, ConnectorContext, RotateResult, RotationSecrets } from '../connector.ts';
import { ConnectorError } from '../connector-error.ts';
import { operationSignal } from '../deadline.ts';
import { failureBeforeChange } from '../outcome.ts';
import { isAccountName, type SshConfig } from './config.ts';
import { rotateAsAdmin } from './rotate-as-admin.ts';
import { rotateAsSelf } from './rotate-as-self.ts';
import { runCommand } from './run-command.ts';
import { openSession, type SshSession } from './session.ts';

/**
 * Sets a new password, as the account itself (its current password is then the proof that nobody changed it meanwhile) or as the
 * administrator. Does not verify: log in with the new password afterwards.
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
      const { admin, next } = secrets;
      if (admin === undefined)
        throw new ConnectorError(
          'configuration',
          'This target is rotated by an administrator; none was given.',
        );
      await using session = await openSession(config, admin, ctx, signal);
      return await rotateAsAdmin(session, config, admin, username, next, ctx);
    }
    const { current, next } = secrets;
    if (current === undefined || /[\r\n\0]/.test(current))
      throw new ConnectorError(
        'configuration',
        'The account rotates itself, which needs its current password.',
      );
    await using session = await openSession(config, { username, password: current }, ctx, signal);
    await assertLoggedInAs(session, username);
    return await rotateAsSelf(session, current, next, ctx);
  } catch (error) {
    return failureBeforeChange(error);
  }
}

/** A forced command or a mapped login can leave the session with another account; its password must not be the one that changes. */
async function assertLoggedInAs(session: SshSession, username: string): Promise<void> {
  const { exitCode, stdout } = await runCommand(session, 'id -un');
  if (exitCode === undefined)
    throw new ConnectorError('unreachable', 'The connection ended before the change was sent.');
  if (exitCode !== 0 || stdout.trim() !== username)
    throw new ConnectorError(
      'permission',
      'The host runs this session as another account than the one logged in.',
    );
}
