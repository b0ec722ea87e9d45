import * as exposure from '@claviger/contracts/vault/v1/exposure';
import type { RpcServer } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { getEntryExposure } from './get-entry-exposure.ts';
import { getUserExposure } from './get-user-exposure.ts';
import { rotateUserExposure } from './rotate-user-exposure.ts';

/** Who knows which secret, and having it replaced. */
export function addExposureHandlers(rpc: RpcServer, deps: VaultDeps): void {
  rpc.add(exposure.ExposureService, {
    getUserExposure: getUserExposure(deps),
    rotateUserExposure: rotateUserExposure(deps),
    getEntryExposure: getEntryExposure(deps),
  });
}
