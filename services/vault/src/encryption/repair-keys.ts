import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import type { EncryptionDeps } from './deps.ts';
import { requestKeyJob } from './request-key-job.ts';

/** Queues a check of every DEK of the tenant. */
export function repairKeys(deps: EncryptionDeps): Handler<typeof encryption.EncryptionService.repairKeys> {
  return requestKeyJob(deps, 'repair');
}
