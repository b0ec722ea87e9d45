import type * as license from '@claviger/contracts/auth/v1/license';
import type { Handler } from '@claviger/service-kit';
import type { LicenseDeps } from './deps.ts';
import { licenseMessage } from './license-message.ts';
import { licenseInForce } from './license-store.ts';

/** Returns the license in force. The contract restricts this to the platform's own tenant. */
export function getLicense(deps: LicenseDeps): Handler<typeof license.LicenseService.getLicense> {
  return async (_request, { tenantId }) => ({
    license: await licenseMessage(deps.database, tenantId, await licenseInForce(deps.database, tenantId)),
  });
}
