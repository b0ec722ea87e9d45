import type { ConnectorContext } from './connector.ts';
import { ConnectorError } from './connector-error.ts';

/** The signal for a whole operation: the caller's, or its time being over. */
export function operationSignal(ctx: ConnectorContext): AbortSignal {
  return AbortSignal.any([ctx.signal, AbortSignal.timeout(ctx.operationTimeoutMs)]);
}

/** Immediately before a change is sent, with nothing awaited in between. Throws when the caller may not change any more. */
export function assertMayChange(ctx: Pick<ConnectorContext, 'mayChange'>): void {
  if (ctx.mayChange && !ctx.mayChange())
    throw new ConnectorError('unreachable', 'The work stood still for too long: the change was not sent.');
}
