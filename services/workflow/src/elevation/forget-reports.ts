import { type Duty, type DutyHost, type Leadership, startDuty } from '@claviger/cluster';
import { sql } from 'kysely';
import type { ElevationDeps } from './deps.ts';

const EVERY_MS = 600_000;
const BATCH = 2_000;

type Deps = Pick<ElevationDeps, 'database' | 'logger'>;

/** Erases old reports of devices, and users who were not identified on a device for 30 days. */
export function startForgettingReports(deps: Deps, cluster: DutyHost): Duty {
  return startDuty({
    cluster,
    name: 'clean-up of device reports',
    everyMs: EVERY_MS,
    run: async (leadership) => ((await forgetReports(deps, leadership)) ? { nextInMs: 1_000 } : undefined),
  });
}

/** One round; returns true when more may be due. A failure of one tenant does not stop the others. */
export async function forgetReports(
  { database, logger }: Deps,
  leadership: Leadership,
  batch = BATCH,
): Promise<boolean> {
  const { rows } = await database.system((tx) =>
    sql<{ tenant_id: string }>`
      SELECT DISTINCT tenant_id FROM (
        (SELECT tenant_id FROM device_reports WHERE kept_until < now() ORDER BY kept_until LIMIT ${batch}::int)
        UNION ALL
        (SELECT tenant_id FROM device_users WHERE last_seen_at < now() - interval '30 days'
         ORDER BY last_seen_at LIMIT ${batch}::int)) AS old`.execute(tx),
  );
  let more = false;
  for (const { tenant_id: tenantId } of rows) {
    if (leadership.signal.aborted) return false;
    try {
      more = (await forgetOf({ database }, leadership, tenantId, batch)) || more;
    } catch (error) {
      if (leadership.signal.aborted) throw error;
      logger.warn({ err: error, tenantId }, 'old reports of devices were not erased; tried again later');
    }
  }
  return more;
}

function forgetOf(
  { database }: Pick<Deps, 'database'>,
  leadership: Leadership,
  tenantId: string,
  batch: number,
): Promise<boolean> {
  return database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const reports = await sql`DELETE FROM device_reports WHERE (tenant_id, device_id, report_key) IN (
      SELECT tenant_id, device_id, report_key FROM device_reports WHERE kept_until < now()
      ORDER BY kept_until LIMIT ${batch}::int)`.execute(tx);
    const users = await sql`DELETE FROM device_users WHERE (tenant_id, device_id, user_id) IN (
      SELECT tenant_id, device_id, user_id FROM device_users WHERE last_seen_at < now() - interval '30 days'
      ORDER BY last_seen_at LIMIT ${batch}::int)`.execute(tx);
    return [reports, users].some(({ numAffectedRows = 0n }) => Number(numAffectedRows) === batch);
  });
}
