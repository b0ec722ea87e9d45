import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError, isClavigerError } from '@claviger/errors';
import { type CallContext, permits, type ServiceClient } from '@claviger/service-kit';

/** The call of the vault that this file uses. */
export type Resources = Pick<ServiceClient<typeof vault.EntitlementsService>, 'describeResource'>;

const TIMEOUT_MS = 3_000;

/**
 * Returns the id of a resource of the actor's tenant. Throws `invalid` for an unknown resource, `denied`
 * without `resources.read`, `unavailable` if the vault does not answer.
 */
export async function linkedResource(
  resources: Resources | undefined,
  context: CallContext,
  resourceId: string,
): Promise<string> {
  if (!permits(context.actor.permissions, 'resources.read')) {
    throw new ClavigerError(
      'denied',
      'Linking a device to a resource requires the permission resources.read.',
    );
  }
  if (!resources)
    throw new ClavigerError(
      'unavailable',
      'This installation has no vault, so devices cannot be linked to resources.',
    );
  try {
    const { tenantId, requestId, sourceAddress, deadline, signal } = context;
    await resources.describeResource(
      { resourceId },
      { tenantId, requestId, sourceAddress, deadline, signal, timeoutMs: TIMEOUT_MS },
    );
  } catch (error) {
    if (!isClavigerError(error)) throw error;
    if (error.reason === 'not_found') throw notAResource();
    if (error.reason !== 'deadline_exceeded') throw error;
    throw new ClavigerError('unavailable', 'The vault does not answer.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  return resourceId;
}

const notAResource = (): ClavigerError => ClavigerError.invalid('/resourceId', 'is not the id of a resource');
