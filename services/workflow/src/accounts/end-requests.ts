import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccountEnd } from './account-end.ts';
import type { AccountsDeps } from './deps.ts';

/** Cancels the pending requests of an account. */
export async function endRequestsOf(
  deps: Pick<AccountsDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  { userId, cause, changedBy }: AccountEnd,
): Promise<void> {
  const ended = await tx
    .updateTable('requests')
    .set({ status: 'cancelled', decided_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())` })
    .where('requester_id', '=', userId)
    .where('status', '=', 'pending')
    .returning(['tenant_id', 'id', 'resource_id', 'entry_id', 'requester_id', 'digest'])
    .execute();
  for (const row of ended) {
    await deps.emitter.auditDuty(tx, {
      tenantId: row.tenant_id,
      action: 'request.cancelled',
      outcome: 'allowed',
      subjectType: 'request',
      subjectId: row.id,
      resourceId: row.resource_id ?? '',
      requestId: '',
      reason: cause,
      details: { entryId: row.entry_id, requesterId: row.requester_id, digest: row.digest, changedBy },
    });
  }
}
