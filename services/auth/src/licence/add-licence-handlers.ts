import { licence } from '@claviger/contracts';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { applyLicense } from './apply-license.ts';
import { getLicense } from './get-license.ts';

export function addLicenceHandlers(server: RpcServer, deps: AuthDeps): void {
  server.add(licence.LicenceServiceService, {
    getLicense: getLicense(deps),
    applyLicense: applyLicense(deps),
  });
}
