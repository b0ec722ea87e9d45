import { isClavigerError } from '@claviger/errors';
import type { ComplianceDeps } from '../deps.ts';
import type { ClaimedReport } from './claimed-report.ts';
import { failReport, requeueReport } from './lease.ts';
import { makePackage } from './make-package.ts';
import { LeaseLost, ReportProblem } from './report-problem.ts';
import { storePackage } from './store-package.ts';

/** Makes the package of a claimed report. After a temporary failure, the report is queued again. */
export async function runReport(
  deps: ComplianceDeps,
  report: ClaimedReport,
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, id: reportId } = report;
  try {
    await makePackage(deps, report, signal, (finished) => storePackage(deps, report, finished, signal));
  } catch (error) {
    if (error instanceof LeaseLost) return;
    const lasting = lastingProblem(error);
    if (lasting === undefined) {
      deps.logger.warn({ err: error, reportId }, 'a compliance report could not be made; it is retried');
      return requeueReport(deps, report);
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

/** The message of a permanent failure; undefined when a later attempt may succeed. */
function lastingProblem(error: unknown): string | undefined {
  if (error instanceof ReportProblem) return error.message;
  if (isClavigerError(error) && error.reason === 'integrity_error') return error.message;
  return undefined;
}
