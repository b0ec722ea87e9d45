import type { ConnectorErrorKind } from '@claviger/connectors';
import { type CallContext, permits } from '@claviger/service-kit';

/** What they are told who may not see how targets are reached. */
export const UNIFORM_HINT = 'Somebody with modules.update sees why in the test of the module.';

/** Kinds that tell closed from filtered, and silent from reachable; the others are said by the target about an account. */
const OF_THE_WAY: ReadonlySet<ConnectorErrorKind> = new Set([
  'configuration',
  'not_allowed',
  'unreachable',
  'untrusted',
  'protocol',
]);

export function isOfTheWay(kind: ConnectorErrorKind): boolean {
  return OF_THE_WAY.has(kind);
}

/** Who sets what a module may reach may see what is reachable; for others each failure on the way looks the same. */
export function seesTheWay({ actor }: Pick<CallContext, 'actor'>): boolean {
  return permits(actor.permissions, 'modules.update');
}
