import type { ConnectorContext } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/** The signal for a whole operation: the caller's, or its time being over. */
export function operationSignal(ctx: ConnectorContext): AbortSignal {
  return AbortSignal.any([ctx.signal, AbortSignal.timeout(ctx.operationTimeoutMs)]);
}

/**
 * Awaited immediately before a change is sent. Asks the caller, and checks by a monotonic clock of this
 * process that the time that the caller gave, counted from the question, is not over when the answer is here.
 * Throws when the change may not be made any more.
 */
export async function assertMayChange(ctx: Pick<ConnectorContext, 'mayChange'>): Promise<void> {
  if (ctx.mayChange === undefined) return;
  const askedAtMs = performance.now();
  const forMs = await ctx.mayChange();
  if (performance.now() - askedAtMs >= forMs)
    throw new ConnectorError('unreachable', 'The work stood still for too long: the change was not sent.');
}
