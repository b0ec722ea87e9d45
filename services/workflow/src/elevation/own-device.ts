import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { internalCall } from '../internal-call.ts';
import type { ElevationDeps } from './deps.ts';

/**
 * The id of the calling agent's device, if the path names it. Another device of the tenant is denied; an
 * unknown device is not found.
 */
export async function ownDevice(
  deps: Pick<ElevationDeps, 'devices'>,
  context: CallContext,
  id: string,
): Promise<string> {
  const { actor } = context;
  if (actor.kind === 'agent' && id === actor.userId) return id;
  await deps.devices.describeDevice({ deviceId: id }, internalCall(context));
  throw new ClavigerError('denied', 'An agent can only use its own device.', {
    code: 'other_agent',
    hint: 'Use the id of the device that the token belongs to.',
  });
}
