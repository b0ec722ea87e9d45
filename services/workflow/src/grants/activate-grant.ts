import type { CallContext } from '@claviger/service-kit';
import type { GrantRow } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';
import { syncEntitlement } from './sync-entitlement.ts';

/**
 * First attempt to activate a new grant. If the vault is unavailable, the grant stays `activating`, and the
 * due queue tries again; the approval is final in any case.
 */
export async function activateGrant(deps: GrantsDeps, context: CallContext, grant: GrantRow): Promise<void> {
  try {
    await syncEntitlement(deps, grant, context.requestId);
  } catch (error) {
    deps.logger.warn(
      { err: error, grantId: grant.id, requestId: context.requestId },
      'the vault has not confirmed a new grant; it stays activating and is tried again',
    );
  }
}
