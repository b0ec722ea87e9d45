import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccountEnd } from './account-end.ts';
import type { AccountsDeps } from './deps.ts';

/** The call that ends the account makes the first attempt; the due queue follows after this time. */
const FIRST_TRY_SECONDS = 5;

/** Revokes the grants of an account. The vault removes the entitlements and rotates disclosed secrets. */
export async function endGrantsOf(
  deps: Pick<AccountsDeps, 'emitter'>,
  tx: Tx<WorkflowSchema>,
  { userId, cause, changedBy }: AccountEnd,
): Promise<void> {
  const ended = await tx
    .updateTable('grants')
    .set({
      status: 'revoked',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      revoked_by: changedBy,
      revoke_reason: cause,
      sync_wanted: 'remove',
      next_sync_at: sql<Date>`clock_timestamp() + make_interval(secs => ${FIRST_TRY_SECONDS})`,
      sync_attempts: 0,
    })
    .where('user_id', '=', userId)
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
      reason: cause,
      details: {
        userId: grant.user_id,
        userName: grant.user_name,
        entryId: grant.entry_id,
        accessRequestId: grant.request_id,
        startsAt: grant.starts_at.toISOString(),
        endedAt: grant.ended_at!.toISOString(),
        changedBy,
      },
    });
  }
}
