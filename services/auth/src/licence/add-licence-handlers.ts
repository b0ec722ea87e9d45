import * as licence from '@claviger/contracts/auth/v1/licence';
import type { RpcServer } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { applyLicense } from './apply-license.ts';
import { getLicense } from './get-license.ts';

export function addLicenceHandlers(server: RpcServer, deps: AuthDeps): void {
  server.add(licence.LicenceService, {
    getLicense: getLicense(deps),
    applyLicense: applyLicense(deps),
  });
}
