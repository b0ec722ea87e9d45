import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccessEnd } from './access-end.ts';
import type { TenancyDeps } from './deps.ts';

/** For an end without a user. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * Ends the grants of a tenant for good. The due queue notifies the vault of each, so that disclosed secrets
 * are rotated. Returns the number of grants.
 */
export async function endGrants(
  deps: Pick<TenancyDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  end: AccessEnd,
): Promise<number> {
  const ended = await tx
    .updateTable('grants')
    .set({
      status: 'revoked',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      revoked_by: end.endedBy || NOBODY,
      revoke_reason: end.reason,
      sync_wanted: 'remove',
      next_sync_at: sql<Date>`clock_timestamp()`,
      sync_attempts: 0,
    })
    .where('status', 'in', ['activating', 'active'])
    .returningAll()
    .execute();
  for (const grant of ended) {
    await deps.emitter.auditDuty(tx, {
      tenantId: grant.tenant_id,
      action: 'grant.revoked',
      outcome: 'allowed',
      subjectType: 'grant',
      subjectId: grant.id,
      resourceId: grant.resource_id ?? '',
      requestId: '',
      reason: end.reason,
      details: {
        userId: grant.user_id,
        userName: grant.user_name,
        entryId: grant.entry_id,
        accessRequestId: grant.request_id,
        startsAt: grant.starts_at.toISOString(),
        endedAt: grant.ended_at!.toISOString(),
      },
    });
  }
  return ended.length;
}
