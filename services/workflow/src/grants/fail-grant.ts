import { sql } from 'kysely';
import type { GrantRow } from '../schema.ts';
import type { GrantsDeps } from './deps.ts';

/**
 * Ends a grant that the vault refuses for good, with the reason, once. A grant that has ended since stays
 * unchanged. The removal is queued, because an earlier call may still arrive. Returns the grant as it is
 * afterwards.
 */
export function failGrant(
  deps: GrantsDeps,
  grant: GrantRow,
  problem: string,
  requestId: string,
): Promise<GrantRow> {
  return deps.database.withTenant(grant.tenant_id, async (tx) => {
    const failed = await tx
      .updateTable('grants')
      .set({
        status: 'failed',
        problem,
        ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
        sync_wanted: 'remove',
        next_sync_at: sql<Date>`clock_timestamp()`,
        sync_attempts: 0,
      })
      .where('id', '=', grant.id)
      .where('status', '=', 'activating')
      .returningAll()
      .executeTakeFirst();
    if (!failed) {
      return tx.selectFrom('grants').selectAll().where('id', '=', grant.id).executeTakeFirstOrThrow();
    }
    await deps.emitter.auditDuty(tx, {
      tenantId: failed.tenant_id,
      action: 'grant.failed',
      outcome: 'failed',
      subjectType: 'grant',
      subjectId: failed.id,
      resourceId: failed.resource_id ?? '',
      requestId,
      reason: problem,
      details: {
        userId: failed.user_id,
        userName: failed.user_name,
        entryId: failed.entry_id,
        accessRequestId: failed.request_id,
      },
    });
    return failed;
  });
}
