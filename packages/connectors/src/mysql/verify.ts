import type { Account, ConnectorContext, VerifyResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { verifyFailure } from '../outcome.ts';
import type { MysqlConfig } from './config.ts';
import { openSession } from './session.ts';

/** Logs in as the account; makes one attempt. */
export async function verifyMysql(
  config: MysqlConfig,
  account: Account,
  secret: string,
  ctx: ConnectorContext,
): Promise<VerifyResult> {
  try {
    const credential = { username: account.username, password: secret };
    await using _session = await openSession(config, credential, ctx, operationSignal(ctx));
    return { outcome: 'accepted' };
  } catch (error) {
    return verifyFailure(error);
  }
}
