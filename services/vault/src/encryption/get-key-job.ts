import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import type { EncryptionDeps } from './deps.ts';
import { keyJobById, toKeyJob } from './key-jobs-store.ts';

export function getKeyJob(deps: EncryptionDeps): Handler<typeof encryption.EncryptionService.getKeyJob> {
  return async (request, context) => {
    const id = request.jobId;
    return deps.database.readTenant(context.tenantId, async (reader) => ({
      job: toKeyJob(await keyJobById(reader, id)),
    }));
  };
}
