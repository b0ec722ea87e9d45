import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import { pageOf } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { EncryptionDeps } from './deps.ts';
import { type KeyJobRow, toKeyJob } from './key-jobs-store.ts';

/** Newest first. */
export function listKeyJobs(deps: EncryptionDeps): Handler<typeof encryption.EncryptionService.listKeyJobs> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      let jobs = reader.selectFrom('key_jobs');
      if (request.state) jobs = jobs.where('state', '=', request.state as KeyJobRow['state']);
      return pageOf({
        request,
        query: jobs.selectAll(),
        sort: { createdAt: { column: 'created_at', type: 'timestamptz' } },
        defaultSort: 'createdAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: toKeyJob,
      });
    });
}
