import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { requestKeyJob } from './request-key-job.ts';

/** Queues the exchange of the tenant's key encryption key. */
export function rotateKek(deps: VaultDeps): Handler<typeof encryption.EncryptionService.rotateKek> {
  return requestKeyJob(deps, 'rotate-kek');
}
