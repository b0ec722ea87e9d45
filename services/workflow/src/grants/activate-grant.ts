import type { CallContext } from '@claviger/service-kit';
import type { GrantRow } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';
import { tellVault } from './tell-vault.ts';

/**
 * First try to make a new grant active. The approval stands whatever comes of it: without the vault the grant stays
 * `activating`, and the due queue goes on.
 */
export async function activateGrant(deps: GrantsDeps, context: CallContext, grant: GrantRow): Promise<void> {
  try {
    await tellVault(deps, grant, context.requestId);
  } catch (error) {
    deps.logger.warn(
      { err: error, grantId: grant.id, requestId: context.requestId },
      'the vault could not be told of a new grant; it stays activating and is tried again',
    );
  }
}
