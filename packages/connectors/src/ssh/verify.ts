import type { Account, ConnectorContext, VerifyResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { verifyFailure } from '../outcome.ts';
import type { SshConfig } from './config.ts';
import { PasswordMustChange } from './ended-before-command.ts';
import { openSession } from './session.ts';

/** Logs in as the account with its password or private key; makes one attempt. */
export async function verifySsh(
  config: SshConfig,
  account: Account,
  secret: string,
  ctx: ConnectorContext,
): Promise<VerifyResult> {
  try {
    const { username, secretType } = account;
    const credential =
      secretType === 'ssh-key' ? { username, privateKey: secret } : { username, password: secret };
    await using _session = await openSession(config, credential, ctx, operationSignal(ctx));
    return { outcome: 'accepted' };
  } catch (error) {
    // The host asks for a new password only after it has accepted this one.
    if (error instanceof PasswordMustChange) return { outcome: 'accepted' };
    return verifyFailure(error);
  }
}
