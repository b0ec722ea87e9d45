import type { Account, ConnectorContext, VerifyResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { verifyFailure } from '../outcome.ts';
import type { LdapConfig } from './config.ts';
import { bindName } from './names.ts';
import { openSession } from './session.ts';

/** Binds as the account; makes one attempt. */
export async function verifyLdap(
  config: LdapConfig,
  account: Account,
  secret: string,
  ctx: ConnectorContext,
): Promise<VerifyResult> {
  try {
    const login = { name: bindName(config, account.username, false), password: secret };
    await using _session = await openSession(config, login, ctx, operationSignal(ctx));
    return { outcome: 'accepted' };
  } catch (error) {
    return verifyFailure(error);
  }
}
