import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import type { RulesDeps } from './deps.ts';

const EVERY_MS = 3_600_000;
const BATCH = 2_000;

type Deps = Pick<RulesDeps, 'database' | 'settings' | 'logger'>;

/** Erases decisions that are older than the days that each tenant keeps them, every hour, on the leader. */
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
 * One round; true when there may be more. The requests stay, and the audit log stays what it is: they can only no longer be
 * explained or replayed. Goes on for tenants that are suspended. A tenant whose settings cannot be read keeps what it has.
 */
export async function forgetEvaluations(
  { database, settings, logger }: Deps,
  leadership: Leadership,
  batch = BATCH,
): Promise<boolean> {
  let more = false;
  for (const tenantId of await tenantsWithDecisions(database)) {
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

/** From tenant to tenant by the index: their decisions may be millions. */
async function tenantsWithDecisions(database: Deps['database']): Promise<string[]> {
  const { rows } = await database.system((tx) =>
    sql<{ tenant_id: string }>`
      WITH RECURSIVE found AS (
        (SELECT tenant_id FROM evaluations ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.tenant_id FROM evaluations e WHERE e.tenant_id > found.tenant_id ORDER BY e.tenant_id LIMIT 1)
        FROM found WHERE found.tenant_id IS NOT NULL
      ) SELECT tenant_id FROM found WHERE tenant_id IS NOT NULL`.execute(tx),
  );
  return rows.map(({ tenant_id }) => tenant_id);
}
