import type { Tx } from '@claviger/database';
import type { AppliedStanding } from '@claviger/tenancy';
import { sql } from 'kysely';
import type { WorkflowDeps } from '../deps.ts';
import type { WorkflowSchema } from '../schema.ts';

/** Where no user changed it. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/**
 * When a tenant leaves the active ones, its grants end: none is alive after a reinstatement. The vault is told of each, also
 * while the tenant is suspended, so that what was seen gets rotated afterwards.
 */
export async function endGrants(
  deps: Pick<WorkflowDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  applied: AppliedStanding,
): Promise<void> {
  if (applied.before !== 'active' || applied.standing === 'active') return;
  const ended = await tx
    .updateTable('grants')
    .set({
      status: 'revoked',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      revoked_by: applied.changedBy || NOBODY,
      revoke_reason: 'The tenant was suspended.',
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
      reason: 'The tenant was suspended.',
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
}
