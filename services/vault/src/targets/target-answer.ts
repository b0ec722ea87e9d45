import type { ConnectorErrorKind } from '@claviger/connectors';
import { type CallContext, permits } from '@claviger/service-kit';

/** Hint for actors who may not see how targets are reached. */
export const UNIFORM_HINT = 'Ask an actor with modules.update to test the module: the result has the reason.';

/** Kinds that reveal whether a port is closed, filtered or open. The other kinds concern the account. */
const REACHABILITY_KINDS: ReadonlySet<ConnectorErrorKind> = new Set([
  'configuration',
  'not_allowed',
  'unreachable',
  'untrusted',
  'protocol',
]);

export function isReachabilityProblem(kind: ConnectorErrorKind): boolean {
  return REACHABILITY_KINDS.has(kind);
}

/**
 * Actors who configure what a module may reach may see what is reachable; for others all such failures look
 * alike.
 */
export function maySeeReachability({ actor }: Pick<CallContext, 'actor'>): boolean {
  return permits(actor.permissions, 'modules.update');
}
