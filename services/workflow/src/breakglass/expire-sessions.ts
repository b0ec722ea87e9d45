import type { Tx } from '@claviger/database';
import { sql, type UpdateQueryBuilder, type UpdateResult } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { alert } from './alert.ts';
import type { BreakglassSessionRow } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';
import { sessionDetails } from './session-details.ts';

type Update = UpdateQueryBuilder<WorkflowSchema, 'breakglass_sessions', 'breakglass_sessions', UpdateResult>;
const present = sql<Date>`clock_timestamp()`;

/**
 * Marks sessions past their time as ended and queues the notice to the vault; `among` selects the sessions.
 * The vault stops by its own clock. Returns the number of ended sessions.
 */
export async function expireSessions(
  deps: Pick<BreakglassDeps, 'emitter' | 'logger'>,
  tx: Tx<WorkflowSchema>,
  among: (query: Update) => Update,
): Promise<number> {
  const expired = await among(
    tx
      .updateTable('breakglass_sessions')
      .set((each) => ({
        state: 'expired',
        ended_at: each.ref('expires_at'),
        end_reason: 'Its time was over.',
        sync_wanted: 'end',
        next_sync_at: present,
        sync_attempts: 0,
      }))
      .where('state', '=', 'active')
      .where('expires_at', '<=', present),
  )
    .returningAll()
    .execute();
  const lapsed = await among(
    tx
      .updateTable('breakglass_sessions')
      .set((each) => ({
        state: 'lapsed',
        ended_at: each.ref('confirm_until'),
        end_reason: 'Nobody confirmed it.',
      }))
      .where('state', '=', 'awaiting-confirmation')
      .where('confirm_until', '<=', present),
  )
    .returningAll()
    .execute();
  for (const row of [...expired, ...lapsed]) await record(deps, tx, row);
  return expired.length + lapsed.length;
}

async function record(
  deps: Pick<BreakglassDeps, 'emitter' | 'logger'>,
  tx: Tx<WorkflowSchema>,
  row: BreakglassSessionRow,
): Promise<void> {
  await deps.emitter.auditDuty(tx, {
    tenantId: row.tenant_id,
    action: `breakglass.${row.state}`,
    outcome: 'allowed',
    subjectType: 'breakglass-session',
    subjectId: row.id,
    resourceId: '',
    requestId: '',
    reason: row.end_reason,
    details: { ...sessionDetails(row), endedAt: row.ended_at!.toISOString() },
  });
  alert(deps.logger, { sessionId: row.id, userId: row.user_id }, `emergency access has ${row.state}`);
}
