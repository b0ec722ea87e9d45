import { anyOf, type Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { DutiesDeps } from './deps.ts';

/**
 * Expires grants past their end and queues the removal of their entitlements. Returns the number of grants.
 */
export async function expireGrants(
  deps: Pick<DutiesDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  ids: readonly string[],
): Promise<number> {
  const ended = await tx
    .updateTable('grants')
    .set((each) => ({
      status: 'expired',
      ended_at: each.ref('expires_at'),
      sync_wanted: 'remove',
      next_sync_at: sql<Date>`now()`,
      sync_attempts: 0,
    }))
    .where('id', '=', anyOf(ids, 'uuid'))
    .where('status', 'in', ['activating', 'active'])
    .where('expires_at', '<=', sql<Date>`now()`)
    .returningAll()
    .execute();
  for (const grant of ended) {
    await deps.emitter.auditDuty(tx, {
      tenantId: grant.tenant_id,
      action: 'grant.expired',
      outcome: 'allowed',
      subjectType: 'grant',
      subjectId: grant.id,
      resourceId: grant.resource_id ?? '',
      requestId: '',
      reason: '',
      details: {
        userId: grant.user_id,
        userName: grant.user_name,
        entryId: grant.entry_id,
        accessRequestId: grant.request_id,
        startsAt: grant.starts_at.toISOString(),
        endedAt: grant.expires_at.toISOString(),
        expiresAt: grant.expires_at.toISOString(),
      },
    });
  }
  return ended.length;
}
