import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../../reads/record-read.ts';
import type { ComplianceDeps } from '../deps.ts';
import { reportMessage, reportQuery } from './report-message.ts';

export function getReport(deps: ComplianceDeps): Handler<typeof compliance.ComplianceService.getReport> {
  return async (request, context) => {
    const id = request.reportId;
    const subject = { type: 'compliance-report', id };
    context.auditSubject = subject;
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      reportQuery(reader).where('id', '=', id).executeTakeFirst(),
    );
    if (row === undefined) throw ClavigerError.notFound();
    await recordRead(deps, context, request, subject);
    return { report: reportMessage(row) };
  };
}
