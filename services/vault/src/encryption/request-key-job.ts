import type * as encryption from '@claviger/contracts/vault/v1/encryption';
import type { Handler } from '@claviger/service-kit';
import type { EncryptionDeps } from './deps.ts';
import { insertKeyJob, toKeyJob } from './key-jobs-store.ts';

/** Makes the handler that queues a job of one kind and records who asked for it. */
export function requestKeyJob(
  deps: EncryptionDeps,
  kind: 'rotate-kek' | 'repair',
): Handler<typeof encryption.EncryptionService.rotateKek> {
  return async (request, context) => {
    context.auditSubject = { type: 'key-hierarchy', id: context.tenantId };
    deps.secrets.requireOpen();
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const job = await insertKeyJob(tx, deps, {
        tenant_id: context.tenantId,
        kind,
        trigger: 'requested',
        reason: request.reason,
        requested_by: context.actor.userId,
        requested_by_name: context.actor.userName,
      });
      await deps.emitter.audit(tx, context, {
        subject: { type: 'key-hierarchy', id: context.tenantId },
        reason: request.reason,
        details: { jobId: job.id },
      });
      return { job: toKeyJob(job) };
    });
  };
}
