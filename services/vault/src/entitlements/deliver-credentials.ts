import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { deliverUnderGrant } from '../disclosure/deliver-under-grant.ts';
import { receiptOf } from '../disclosure/receipt.ts';
import type { EntitlementsDeps } from './deps.ts';

/** Only the grantee receives the credentials; once, if the grant is one-time. */
export function deliverCredentials(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.deliverCredentials> {
  return async (request, context) => {
    context.auditSubject = { type: 'grant', id: request.grantId };
    const grantId = request.grantId;
    deps.secrets.requireOpen();
    const delivery = await deliverUnderGrant(deps, context, grantId, { reason: '', ticket: '' });
    return {
      entryId: delivery.entryId,
      version: delivery.encryptedVersion.version,
      username: delivery.username,
      secret: await deps.secrets.decrypt(delivery.encryptedVersion),
      receipt: receiptOf(delivery.event, deps.receiptKey),
      host: delivery.host,
      port: delivery.port,
      rotationState: delivery.rotationState,
      type: delivery.encryptedVersion.purpose,
    };
  };
}
