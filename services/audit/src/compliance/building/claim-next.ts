import { randomUUID } from 'node:crypto';
import { requireActiveTenant, serialized, type Tx } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import type { ComplianceDeps } from '../deps.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { failReport, LEASE_SECONDS } from './lease.ts';

const MAX_ATTEMPTS = 5;
/** Maximum number of tenants that one claim tries: other replicas may claim their reports first. */
const TENANTS = 20;

type ClaimDeps = Pick<ComplianceDeps, 'database' | 'node'>;

/**
 * Claims the next report over all tenants; undefined when none is due. A tenant has one report in progress
 * over all replicas; after it, the tenant goes to the end of the queue.
 *
 * @param overdueSeconds Consider only tenants that have waited at least this long.
 */
export async function claimNext(deps: ClaimDeps, overdueSeconds = 0): Promise<ClaimedReport | undefined> {
  for (const tenantId of await tenantsByTurn(deps, overdueSeconds)) {
    const report = await claimReport(deps, tenantId);
    if (report !== undefined) return report;
  }
  return undefined;
}

/** Returns tenants with a due report and none in progress, in the order of their last turn, oldest first. */
async function tenantsByTurn({ database }: ClaimDeps, overdueSeconds: number): Promise<string[]> {
  const rows = await database.systemQuery((reader) =>
    sql<{ tenant_id: string }>`
      SELECT r.tenant_id
      FROM compliance_reports AS r LEFT JOIN compliance_turns AS t ON t.tenant_id = r.tenant_id
      WHERE r.next_attempt_at <= now()
      GROUP BY r.tenant_id, t.taken_at
      HAVING bool_and(r.lease_until IS NULL OR r.lease_until < now())
        AND min(r.next_attempt_at) <= now() - make_interval(secs => ${overdueSeconds})
      ORDER BY t.taken_at NULLS FIRST, min(r.next_attempt_at), r.tenant_id
      LIMIT ${TENANTS}`.compile(reader),
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/**
 * Claims the report of the tenant that has been due longest; a running report whose lease has expired is due
 * too. Returns undefined when none is due or one is in progress. A report fails if its tenant is not active,
 * or if it was ordered before a suspension.
 */
export async function claimReport(
  { database, node }: ClaimDeps,
  tenantId: string,
): Promise<ClaimedReport | undefined> {
  return database.withTenant(tenantId, async (tx) => {
    // Claims of one tenant run one after the other: two concurrent claims could both see no report in
    // progress.
    await serialized(tx, 'compliance-turn');
    // At most MAX_WAITING rows (queue-report.ts).
    const due = await tx
      .selectFrom('compliance_reports')
      .select(['id', 'created_at', 'attempts'])
      .select(sql<boolean>`coalesce(lease_until >= now(), false)`.as('leased'))
      .where('next_attempt_at', '<=', sql<Date>`now()`)
      .orderBy('next_attempt_at')
      .orderBy('id')
      .execute();
    if (due.some(({ leased }) => leased)) return undefined;
    for (const report of due) {
      const refusal =
        report.attempts >= MAX_ATTEMPTS
          ? `The report failed after ${MAX_ATTEMPTS} attempts.`
          : await refusalOf(tx, report.created_at);
      if (refusal === undefined) return begin(tx, tenantId, report.id, `${node} ${randomUUID()}`);
      await failReport(tx, report.id, refusal);
    }
    return undefined;
  });
}

/** Returns undefined when the previous owner has renewed its lease. */
async function begin(
  tx: Tx<AuditSchema>,
  tenantId: string,
  reportId: string,
  leaseOwner: string,
): Promise<ClaimedReport | undefined> {
  const row = await tx
    .updateTable('compliance_reports')
    .set({
      state: 'running',
      attempts: sql<number>`attempts + 1`,
      lease_owner: leaseOwner,
      lease_until: sql<Date>`now() + make_interval(secs => ${LEASE_SECONDS})`,
      as_of: sql<Date>`coalesce(as_of, now())`,
      tree_size: sql<number>`coalesce(tree_size, (SELECT max(size) FROM tree_heads), 0)`,
    })
    .where('id', '=', reportId)
    .where(sql<boolean>`next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())`)
    .returning(['sections', 'bom', 'as_of', 'tree_size'])
    .returning([sql<string>`from_day::text`.as('first_day'), sql<string>`to_day::text`.as('last_day')])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await tx
    .insertInto('compliance_turns')
    .values({ tenant_id: tenantId })
    .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ taken_at: sql<Date>`now()` }))
    .execute();
  return {
    tenantId,
    id: reportId,
    leaseOwner,
    from: row.first_day,
    to: row.last_day,
    sections: row.sections,
    bom: row.bom,
    asOf: row.as_of!,
    treeSize: row.tree_size!,
  };
}

async function refusalOf(tx: Tx<AuditSchema>, queuedAt: Date): Promise<string | undefined> {
  try {
    await requireActiveTenant(tx, { queuedAt });
    return undefined;
  } catch (error) {
    if (isClavigerError(error) && ['denied', 'gone', 'conflict'].includes(error.reason)) return error.message;
    throw error;
  }
}
