import type { Tx } from '@claviger/database';
import type { AppliedStanding } from '@claviger/tenancy';
import { sql } from 'kysely';
import type { WorkflowDeps } from '../deps.ts';
import type { WorkflowSchema } from '../schema.ts';
import { alert } from './alert.ts';
import { sessionDetails } from './session-details.ts';

const REASON = 'The tenant was suspended.';

/** When a tenant leaves the active ones, its emergency access ends, and the sealed codes that are out stop working. */
export async function endSessionsOfTenant(
  deps: Pick<WorkflowDeps, 'emitter' | 'logger'>,
  tx: Tx<WorkflowSchema>,
  applied: AppliedStanding,
): Promise<void> {
  if (applied.before !== 'active' || applied.standing === 'active') return;
  await tx
    .updateTable('breakglass_codes')
    .set({ withdrawn_at: sql<Date>`clock_timestamp()` })
    .where('used_at', 'is', null)
    .where('withdrawn_at', 'is', null)
    .execute();
  const ended = await tx
    .updateTable('breakglass_sessions')
    .set({
      state: 'deactivated',
      ended_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())`,
      end_reason: REASON,
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
      reason: REASON,
      details: { ...sessionDetails(row), endedAt: row.ended_at!.toISOString() },
    });
    alert(deps.logger, { sessionId: row.id }, 'emergency access has ended with its tenant');
  }
}
