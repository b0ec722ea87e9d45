import { requireActiveTenant, type Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import type { ComplianceDeps } from '../deps.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { LeaseLost } from './report-problem.ts';

/** A worker that does not renew its lease for this long loses the report to another one. */
export const LEASE_SECONDS = 60;

/** Sets the report to `failed`. */
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
 * Records the progress and renews the lease, in the transaction of the caller's own write.
 *
 * @throws {LeaseLost} when another worker holds the lease, or the report has ended.
 */
export async function holdLease(
  tx: Tx<AuditSchema>,
  { id, leaseOwner }: ClaimedReport,
  progressPercent: number,
): Promise<void> {
  // A suspension also stops a report in progress; the next claim sets it to failed.
  await requireActiveTenant(tx);
  const held = await tx
    .updateTable('compliance_reports')
    .set({
      progress_percent: progressPercent,
      lease_until: sql<Date>`now() + make_interval(secs => ${LEASE_SECONDS})`,
    })
    .where('id', '=', id)
    .where('lease_owner', '=', leaseOwner)
    .where('state', '=', 'running')
    .returning('id')
    .executeTakeFirst();
  if (held === undefined) throw new LeaseLost();
}

/** Queues the report again after 10 seconds. Each further delay is twice as long, at most five minutes. */
export async function requeueReport(
  { database }: Pick<ComplianceDeps, 'database'>,
  { tenantId, id, leaseOwner }: ClaimedReport,
): Promise<void> {
  await database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('compliance_reports')
      .set({
        state: 'queued',
        next_attempt_at: sql<Date>`now() + make_interval(secs => least(300, 5 * 2 ^ attempts))`,
        lease_owner: null,
        lease_until: null,
      })
      .where('id', '=', id)
      .where('lease_owner', '=', leaseOwner)
      .execute(),
  );
}
