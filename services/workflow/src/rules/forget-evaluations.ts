import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import { tenantsWith } from '../duties/tenants-with.ts';
import type { RulesDeps } from './deps.ts';

const EVERY_MS = 3_600_000;
const BATCH = 2_000;

type Deps = Pick<RulesDeps, 'database' | 'settings' | 'logger'>;

/** Erases decisions older than the retention of each tenant, every hour, on the leader. */
export function startForgettingEvaluations(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'clean-up of decisions',
    everyMs: EVERY_MS,
    run: async (leadership) =>
      (await forgetEvaluations(deps, leadership)) ? { nextInMs: 1_000 } : undefined,
  });
}

/**
 * One round; returns true when more may be due. Requests and audit events stay; without the decision, a
 * request can no longer be explained or replayed. Suspended tenants are included. A tenant whose settings
 * cannot be read keeps its decisions.
 */
export async function forgetEvaluations(
  { database, settings, logger }: Deps,
  leadership: Leadership,
  batch = BATCH,
): Promise<boolean> {
  let more = false;
  for (const tenantId of await tenantsWith(database, 'evaluations')) {
    if (leadership.signal.aborted) return false;
    try {
      const { evaluationRetentionDays } = (await settings.read(tenantId)).values.elevation;
      const erased = await database.withTenant(tenantId, async (tx) => {
        await leadership.assert(tx);
        const { numAffectedRows } = await sql`DELETE FROM evaluations WHERE (tenant_id, id) IN (
          SELECT tenant_id, id FROM evaluations
          WHERE decided_at < now() - make_interval(days => ${evaluationRetentionDays}::int)
          ORDER BY decided_at, id LIMIT ${batch}::int)`.execute(tx);
        return Number(numAffectedRows ?? 0);
      });
      more ||= erased === batch;
    } catch (error) {
      if (leadership.signal.aborted) throw error;
      logger.warn({ err: error, tenantId }, 'old decisions were not erased; tried again later');
    }
  }
  return more;
}
