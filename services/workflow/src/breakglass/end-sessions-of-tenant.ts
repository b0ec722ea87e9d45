import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import type { AccessEnd } from '../tenancy/access-end.ts';
import { alert } from './alert.ts';
import type { BreakglassDeps } from './deps.ts';
import { sessionDetails } from './session-details.ts';

/**
 * Ends the emergency access of a tenant and withdraws its unused offline codes. Returns the number of each.
 */
export async function endSessionsOfTenant(
  deps: Pick<BreakglassDeps, 'emitter' | 'logger'>,
  tx: Tx<WorkflowSchema>,
  end: AccessEnd,
): Promise<{ sessions: number; codes: number }> {
  const codes = await tx
    .updateTable('breakglass_codes')
    .set({ withdrawn_at: sql<Date>`clock_timestamp()` })
    .where('used_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst();
  const ended = await tx
    .updateTable('breakglass_sessions')
    .set({
      state: 'deactivated',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      end_reason: end.reason,
      sync_wanted: sql<'end' | null>`CASE WHEN activated_at IS NULL THEN NULL ELSE 'end' END`,
      next_sync_at: sql<Date | null>`CASE WHEN activated_at IS NULL THEN NULL ELSE clock_timestamp() END`,
      sync_attempts: 0,
    })
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
      reason: end.reason,
      details: { ...sessionDetails(row), endedAt: row.ended_at!.toISOString() },
    });
    alert(deps.logger, { sessionId: row.id }, 'emergency access has ended with its tenant');
  }
  return { sessions: ended.length, codes: Number(codes.numUpdatedRows) };
}
