import type { ConnectorContext, Credential, TestResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { testFailure } from '../outcome.ts';
import type { SshConfig } from './config.ts';
import { openSession, type SeenHost } from './session.ts';

/** Logs in and out again; without a pinned key it reports the key and sends no credential. */
export async function testSsh(
  config: SshConfig,
  credential: Credential,
  ctx: ConnectorContext,
): Promise<TestResult> {
  const startedAtMs = performance.now();
  const seen: SeenHost = {};
  try {
    await using _session = await openSession(config, credential, ctx, operationSignal(ctx), seen);
    return { ok: true, latencyMs: Math.round(performance.now() - startedAtMs), ...seen };
  } catch (error) {
    return { ...testFailure(error, startedAtMs), ...seen };
  }
}
