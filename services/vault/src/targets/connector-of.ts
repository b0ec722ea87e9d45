import { ConnectorsBusyError, type PooledConnector } from '@claviger/connectors';
import { ClavigerError } from '@claviger/errors';
import type { TargetsDeps } from './deps.ts';
import type { Target } from './load-target.ts';

/**
 * The only path from the vault to a target: its connector, in a worker process of the tenant. A call that
 * waits too long for a worker sends nothing to the target. It throws `rate_limited` if this tenant has too
 * many calls, else `unavailable`.
 */
export function connectorOf(
  { connectors }: Pick<TargetsDeps, 'connectors'>,
  tenantId: string,
  { type }: Pick<Target, 'type'>,
): PooledConnector {
  const pooled = connectors.connector(type, tenantId);
  return {
    ...pooled,
    test: (...call) => pooled.test(...call).catch(throwBusy),
    verify: (...call) => pooled.verify(...call).catch(throwBusy),
    discover: (...call) => pooled.discover(...call).catch(throwBusy),
  };
}

function throwBusy(error: unknown): never {
  if (!(error instanceof ConnectorsBusyError)) throw error;
  throw new ClavigerError(error.byTenant ? 'rate_limited' : 'unavailable', error.message, {
    retryAfterSeconds: error.retryAfterSeconds,
    cause: error,
  });
}
