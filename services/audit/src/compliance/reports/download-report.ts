import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { HttpBody } from '@claviger/contracts/google/api/httpbody';
import { requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { ComplianceDeps } from '../deps.ts';

/** Streams a finished package, chunk by chunk. The audit event is stored before the first byte is sent. */
export function downloadReport(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.downloadReport> {
  return async function* (request, context): AsyncGenerator<HttpBody> {
    const id = request.reportId;
    const { tenantId, signal } = context;
    context.auditSubject = { type: 'compliance-report', id };
    await deps.database.withTenant(tenantId, async (tx) => {
      const report = await tx
        .selectFrom('compliance_reports')
        .select(['state', 'problem', 'sha256'])
        .where('id', '=', id)
        .executeTakeFirst();
      if (report === undefined) throw ClavigerError.notFound();
      if (report.state !== 'ready') throw notReady(report);
      await deps.emitter.audit(tx, context, {
        subject: { type: 'compliance-report', id },
        details: { sha256: report.sha256 },
      });
    });
    let contentType = 'application/zip';
    for (let number = 0; !signal.aborted; number += 1) {
      const chunk = await deps.database.readTenant(tenantId, async (reader) => {
        // A suspension of the tenant stops the download.
        await requireActiveTenant(reader);
        return reader
          .selectFrom('compliance_package_chunks')
          .select('bytes')
          .where('report_id', '=', id)
          .where('number', '=', number)
          .executeTakeFirst();
      });
      if (chunk === undefined) return;
      yield { contentType, data: chunk.bytes, extensions: [] };
      contentType = '';
    }
  };
}

function notReady({ state, problem }: { state: string; problem: string }): ClavigerError {
  if (state === 'failed')
    return new ClavigerError('conflict', 'The report could not be made.', {
      code: 'report_failed',
      hint: problem,
    });
  if (state === 'expired')
    return new ClavigerError('gone', 'The package has expired and was removed.', {
      code: 'report_expired',
      hint: 'Create another report for the same range.',
    });
  return new ClavigerError('conflict', 'The report is still being made.', {
    code: 'report_not_ready',
    hint: 'Try again later; the list of reports shows the progress.',
    retryAfterSeconds: 2,
  });
}
