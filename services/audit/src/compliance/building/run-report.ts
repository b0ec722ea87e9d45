import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { ComplianceDeps } from '../compliance-deps.ts';
import { type ClaimedReport, claimReport, failReport } from './lease.ts';
import { makePackage } from './make-package.ts';
import { LeaseLost, ReportProblem } from './report-problem.ts';
import { storePackage } from './store-package.ts';

/** Makes one package, if nobody else does. What fails for a passing reason is tried again; the sweep finds it. */
export async function runReport(
  deps: ComplianceDeps,
  tenantId: string,
  reportId: string,
  signal: AbortSignal,
): Promise<void> {
  const report = await claimReport(deps, tenantId, reportId);
  if (report === undefined) return;
  try {
    await makePackage(deps, report, signal, (finished) => storePackage(deps, report, finished, signal));
  } catch (error) {
    if (error instanceof LeaseLost) return;
    const lasting = lastingProblem(error);
    if (lasting === undefined) {
      deps.logger.warn({ err: error, reportId }, 'a compliance report could not be made; it is tried again');
      return putBack(deps, report);
    }
    await deps.database.withTenant(tenantId, async (tx) => {
      await failReport(tx, reportId, lasting);
      await deps.emitter.auditDuty(tx, {
        tenantId,
        action: 'compliance.report.failed',
        outcome: 'failed',
        subjectType: 'compliance-report',
        subjectId: reportId,
        resourceId: '',
        requestId: '',
        reason: lasting,
        details: {},
      });
    });
  }
}

/** What no other attempt will change. */
function lastingProblem(error: unknown): string | undefined {
  if (error instanceof ReportProblem) return error.message;
  if (isClavigerError(error) && error.reason === 'integrity_error') return error.message;
  return undefined;
}

async function putBack(deps: ComplianceDeps, { tenantId, id }: ClaimedReport): Promise<void> {
  await deps.database.withTenant(tenantId, (tx) =>
    tx
      .updateTable('compliance_reports')
      .set({
        state: 'queued',
        next_attempt_at: sql<Date>`now() + make_interval(secs => least(300, 5 * 2 ^ attempts))`,
        lease_owner: null,
        lease_until: null,
      })
      .where('id', '=', id)
      .where('lease_owner', '=', deps.node)
      .execute(),
  );
}
