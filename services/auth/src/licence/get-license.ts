import type * as licence from '@claviger/contracts/auth/v1/licence';
import type { Handler } from '@claviger/service-kit';
import type { LicenceDeps } from './deps.ts';
import { licenceInForce } from './licence-store.ts';
import { licenseMessage } from './license-message.ts';

/** Returns the license in force. The contract restricts this to the platform's own tenant. */
export function getLicense(deps: LicenceDeps): Handler<typeof licence.LicenceService.getLicense> {
  return async (_request, { tenantId }) => ({
    license: await licenseMessage(deps.database, tenantId, await licenceInForce(deps.database, tenantId)),
  });
}
