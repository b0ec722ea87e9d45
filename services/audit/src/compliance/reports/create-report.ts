import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { Handler } from '@claviger/service-kit';
import type { ComplianceDeps } from '../deps.ts';
import { queueReport } from './queue-report.ts';
import { reportMessage, reportQuery } from './report-message.ts';
import { dayRange, requestedSections } from './report-range.ts';

/** Queues a package. Repeating an order that is still queued returns the queued report. */
export function createReport(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.createReport> {
  return async (request, context) => {
    const range = dayRange(request);
    const { userId, userName } = context.actor;
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const id = await queueReport(tx, deps.emitter, context.tenantId, {
        ...range,
        sections: requestedSections(request.sections),
        requestedBy: userId,
        requestedByName: userName,
        bom: request.bom,
      });
      const row = await reportQuery(tx).where('id', '=', id).executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, { subject: { type: 'compliance-report', id }, request });
      return { report: reportMessage(row) };
    });
  };
}
