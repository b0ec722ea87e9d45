import type { ConnectorContext, Credential, TestResult } from '../connector.ts';
import { testFailure } from '../outcome.ts';
import type { HttpConfig } from './config.ts';
import { logIn } from './verify.ts';

/** Makes the login that verifies a password. */
export async function testHttp(
  config: HttpConfig,
  credential: Credential,
  ctx: ConnectorContext,
): Promise<TestResult> {
  const startedAtMs = performance.now();
  try {
    await logIn(config, { username: credential.username, password: credential.password }, ctx);
    return { ok: true, latencyMs: Math.round(performance.now() - startedAtMs) };
  } catch (error) {
    return testFailure(error, startedAtMs);
  }
}
