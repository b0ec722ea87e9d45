import type { ConnectorContext, Credential, TestResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { testFailure } from '../outcome.ts';
import type { MysqlConfig } from './config.ts';
import { openSession } from './session.ts';

/** Logs in and out again. */
export async function testMysql(
  config: MysqlConfig,
  credential: Credential,
  ctx: ConnectorContext,
): Promise<TestResult> {
  const startedAtMs = performance.now();
  try {
    await using session = await openSession(config, credential, ctx, operationSignal(ctx));
    return {
      ok: true,
      latencyMs: Math.round(performance.now() - startedAtMs),
      serverVersion: session.serverVersion,
    };
  } catch (error) {
    return testFailure(error, startedAtMs);
  }
}
