import type { Section } from '@claviger/compliance-package';
import { requireActiveTenant, type Tx } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import type { ComplianceDeps } from '../compliance-deps.ts';
import type { DayRange } from '../reports/report-range.ts';
import { LeaseLost } from './report-problem.ts';

const LEASE_SECONDS = 60;
const MAX_ATTEMPTS = 5;

/** A report that this replica makes at the moment. */
export interface ClaimedReport extends DayRange {
  readonly tenantId: string;
  readonly id: string;
  readonly sections: readonly Section[];
  readonly asOf: Date;
  /** Size of the tree head when it was first begun; 0 for an empty log. */
  readonly treeSize: number;
}

/**
 * Takes a report that waits, or that somebody left behind; undefined when there is nothing to do. Of many at once one gets it. A
 * report of a tenant that is not active, or that was ordered before it was suspended, fails.
 */
export async function claimReport(
  { database, node }: ComplianceDeps,
  tenantId: string,
  reportId: string,
): Promise<ClaimedReport | undefined> {
  return database.withTenant(tenantId, async (tx) => {
    const waiting = await tx
      .selectFrom('compliance_reports')
      .select(['created_at', 'attempts'])
      .where('id', '=', reportId)
      .where(sql<boolean>`state IN ('queued', 'running') AND next_attempt_at <= now()
        AND (lease_until IS NULL OR lease_until < now())`)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (waiting === undefined) return undefined;
    const refusal =
      waiting.attempts >= MAX_ATTEMPTS
        ? `It was given up after ${MAX_ATTEMPTS} attempts.`
        : await refusalOf(tx, waiting.created_at);
    if (refusal !== undefined) {
      await failReport(tx, reportId, refusal);
      return undefined;
    }
    const row = await tx
      .updateTable('compliance_reports')
      .set({
        state: 'running',
        attempts: sql<number>`attempts + 1`,
        lease_owner: node,
        lease_until: sql<Date>`now() + make_interval(secs => ${LEASE_SECONDS})`,
        as_of: sql<Date>`coalesce(as_of, now())`,
        tree_size: sql<number>`coalesce(tree_size, (SELECT max(size) FROM tree_heads), 0)`,
      })
      .where('id', '=', reportId)
      .returning(['sections', 'as_of', 'tree_size'])
      .returning([sql<string>`from_day::text`.as('first_day'), sql<string>`to_day::text`.as('last_day')])
      .executeTakeFirstOrThrow();
    return {
      tenantId,
      id: reportId,
      from: row.first_day,
      to: row.last_day,
      sections: row.sections,
      asOf: row.as_of!,
      treeSize: row.tree_size!,
    };
  });
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

/** Ends a report without a package. */
export async function failReport(tx: Tx<AuditSchema>, reportId: string, problem: string): Promise<void> {
  await tx
    .updateTable('compliance_reports')
    .set({
      state: 'failed',
      problem,
      finished_at: sql<Date>`now()`,
      next_attempt_at: null,
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', reportId)
    .where('state', 'in', ['queued', 'running'])
    .execute();
}

/**
 * Shows how far it is and keeps the lease, in the transaction of whatever is written.
 *
 * @throws {LeaseLost} when another replica has it, or it was ended.
 */
export async function holdLease(
  tx: Tx<AuditSchema>,
  node: string,
  reportId: string,
  progressPercent: number,
): Promise<void> {
  // A suspension ends what is under way, too: the next claim then finds the tenant as it is.
  await requireActiveTenant(tx);
  const held = await tx
    .updateTable('compliance_reports')
    .set({
      progress_percent: progressPercent,
      lease_until: sql<Date>`now() + make_interval(secs => ${LEASE_SECONDS})`,
    })
    .where('id', '=', reportId)
    .where('lease_owner', '=', node)
    .where('state', '=', 'running')
    .returning('id')
    .executeTakeFirst();
  if (held === undefined) throw new LeaseLost();
}
