import { randomUUID } from 'node:crypto';
import { requireActiveTenant, serialized, type Tx } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import type { ComplianceDeps } from '../deps.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { failReport, LEASE_SECONDS } from './lease.ts';

const MAX_ATTEMPTS = 5;
/** Tenants that are looked at before a claim is given up: others may have been quicker with each. */
const TENANTS = 20;

type ClaimDeps = Pick<ComplianceDeps, 'database' | 'node'>;

/**
 * Takes the report whose turn it is among those of all tenants; undefined when there is nothing to do. A
 * tenant has one report made at a time, in whatever replica, and then goes behind the others that wait.
 *
 * @param overdueSeconds Only of tenants that have waited for so long.
 */
export async function claimNext(deps: ClaimDeps, overdueSeconds = 0): Promise<ClaimedReport | undefined> {
  for (const tenantId of await tenantsByTurn(deps, overdueSeconds)) {
    const report = await claimReport(deps, tenantId);
    if (report !== undefined) return report;
  }
  return undefined;
}

/**
 * Tenants with a report that is due and none that is being made; those first whose last turn is longest ago.
 */
async function tenantsByTurn({ database }: ClaimDeps, overdueSeconds: number): Promise<string[]> {
  const { rows } = await database.system((tx) =>
    sql<{ tenant_id: string }>`
      SELECT r.tenant_id
      FROM compliance_reports AS r LEFT JOIN compliance_turns AS t ON t.tenant_id = r.tenant_id
      WHERE r.next_attempt_at <= now()
      GROUP BY r.tenant_id, t.taken_at
      HAVING bool_and(r.lease_until IS NULL OR r.lease_until < now())
        AND min(r.next_attempt_at) <= now() - make_interval(secs => ${overdueSeconds})
      ORDER BY t.taken_at NULLS FIRST, min(r.next_attempt_at), r.tenant_id
      LIMIT ${TENANTS}`.execute(tx),
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/**
 * Takes the report of one tenant that is due for longest, or that somebody left behind; undefined when none
 * is due, or one is being made. A report of a tenant that is not active, or that was ordered before it was
 * suspended, fails.
 */
export async function claimReport(
  { database, node }: ClaimDeps,
  tenantId: string,
): Promise<ClaimedReport | undefined> {
  return database.withTenant(tenantId, async (tx) => {
    // From here on one claim of the tenant at a time: two could each see that nothing is being made.
    await serialized(tx, 'compliance-turn');
    // As many as may wait, at most.
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
          ? `It was given up after ${MAX_ATTEMPTS} attempts.`
          : await refusalOf(tx, report.created_at);
      if (refusal === undefined) return begin(tx, tenantId, report.id, `${node} ${randomUUID()}`);
      await failReport(tx, report.id, refusal);
    }
    return undefined;
  });
}

/** Undefined where whoever had it before holds its lease again. */
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
