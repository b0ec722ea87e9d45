import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import type { EncryptionDeps } from './deps.ts';
import { requestKeyJob } from './request-key-job.ts';

/** Queues the rotation of the tenant's KEK. */
export function rotateKek(deps: EncryptionDeps): Handler<typeof encryption.EncryptionService.rotateKek> {
  return requestKeyJob(deps, 'rotate-kek');
}
