import type { Installation } from '@claviger/installation';
import { expect } from 'vitest';

type Environment = Readonly<Record<string, string>>;

/**
 * Restarts a node; resolves when the gateways reach it, shortly after it is ready. Every other node must run.
 */
export async function restartReachable(
  installation: Installation,
  node: string,
  env?: Environment,
): Promise<void> {
  await installation.restart(node, env ? { env } : {});
  await installation.waitUntilReady();
}

/**
 * Restarts a node with a failpoint that kills it; waiting work may trigger the failpoint before it is ready.
 */
export async function restartToCrash(installation: Installation, node: string, point: string): Promise<void> {
  try {
    await installation.restart(node, { env: { FAILPOINTS: point } });
  } catch (error) {
    if (installation.pid(node) !== undefined) throw error;
  }
}

/** Waits until a node has been killed at its failpoint. It is not restarted. */
export async function crashed(installation: Installation, node: string): Promise<void> {
  await expect.poll(() => installation.pid(node)).toBeUndefined();
}
