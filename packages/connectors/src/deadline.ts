import type { ConnectorContext } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/** Returns a signal that aborts with the caller's signal or when the time of the operation has passed. */
export function operationSignal(ctx: ConnectorContext): AbortSignal {
  return AbortSignal.any([ctx.signal, AbortSignal.timeout(ctx.operationTimeoutMs)]);
}

/**
 * Awaited immediately before a change is sent. Asks the caller how much time remains, and measures the
 * duration of this call with a monotonic clock. Throws if the time has passed: the change must not be sent.
 */
export async function assertMayChange(ctx: Pick<ConnectorContext, 'mayChange'>): Promise<void> {
  if (ctx.mayChange === undefined) return;
  const askedAtMs = performance.now();
  const forMs = await ctx.mayChange();
  if (performance.now() - askedAtMs >= forMs)
    throw new ConnectorError('unreachable', 'The worker was paused for too long: the change was not sent.');
}
