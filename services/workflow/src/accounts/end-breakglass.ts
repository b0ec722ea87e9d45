import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import { alert } from '../breakglass/alert.ts';
import { sessionDetails } from '../breakglass/session-details.ts';
import type { WorkflowSchema } from '../schema.ts';
import type { AccountEnd } from './account-end.ts';
import type { AccountsDeps } from './deps.ts';

/** Ends the emergency access of an account. */
export async function endBreakglassOf(
  deps: Pick<AccountsDeps, 'emitter' | 'logger'>,
  tx: Tx<WorkflowSchema>,
  { userId, cause, changedBy }: AccountEnd,
): Promise<void> {
  const ended = await tx
    .updateTable('breakglass_sessions')
    .set({
      state: 'deactivated',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      end_reason: cause,
      // A session that was never active is unknown to auth and the vault.
      sync_wanted: sql<'end' | null>`CASE WHEN activated_at IS NULL THEN NULL ELSE 'end' END`,
      next_sync_at: sql<Date | null>`CASE WHEN activated_at IS NULL THEN NULL ELSE clock_timestamp() END`,
      sync_attempts: 0,
    })
    .where('user_id', '=', userId)
    .where('state', 'in', ['awaiting-confirmation', 'active'])
    .returningAll()
    .execute();
  for (const row of ended) {
    await deps.emitter.auditDuty(tx, {
      tenantId: row.tenant_id,
      action: 'breakglass.deactivated',
      outcome: 'allowed',
      subjectType: 'breakglass-session',
      subjectId: row.id,
      resourceId: '',
      requestId: '',
      reason: cause,
      details: { ...sessionDetails(row), endedAt: row.ended_at!.toISOString(), changedBy },
    });
    alert(deps.logger, { sessionId: row.id }, 'emergency access has ended with its account');
  }
}
