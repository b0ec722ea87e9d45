import type { ConnectorContext } from './connector.ts';

/** The signal for a whole operation: the caller's, or its time being over. */
export function operationSignal(ctx: ConnectorContext): AbortSignal {
  return AbortSignal.any([ctx.signal, AbortSignal.timeout(ctx.operationTimeoutMs)]);
}
