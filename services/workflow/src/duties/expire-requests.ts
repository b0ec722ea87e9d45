import type { Tx } from '@claviger/database';
import { sql, type UpdateQueryBuilder, type UpdateResult } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { DutiesDeps } from './deps.ts';

type Update = UpdateQueryBuilder<WorkflowSchema, 'requests', 'requests', UpdateResult>;

/** Marks pending requests past their time as expired, with an audit event; `among` selects the requests. */
export async function expireRequests(
  deps: Pick<DutiesDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  among: (query: Update) => Update,
): Promise<number> {
  const query = tx
    .updateTable('requests')
    .set((each) => ({ status: 'expired', decided_at: each.ref('expires_at') }))
    .where('status', '=', 'pending')
    .where('expires_at', '<=', sql<Date>`now()`);
  const lapsed = await among(query)
    .returning(['tenant_id', 'id', 'resource_id', 'entry_id', 'requester_id'])
    .execute();
  for (const row of lapsed) {
    await deps.emitter.auditDuty(tx, {
      tenantId: row.tenant_id,
      action: 'request.expired',
      outcome: 'allowed',
      subjectType: 'request',
      subjectId: row.id,
      resourceId: row.resource_id ?? '',
      requestId: '',
      reason: '',
      details: { entryId: row.entry_id, requesterId: row.requester_id },
    });
  }
  return lapsed.length;
}
