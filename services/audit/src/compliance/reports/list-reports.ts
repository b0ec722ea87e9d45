import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { ExpressionBuilder } from 'kysely';
import { timeRange } from '../../events/time-range.ts';
import { recordRead } from '../../reads/record-read.ts';
import type { AuditSchema } from '../../schema.ts';
import type { ReportState } from '../compliance-tables.ts';
import type { ComplianceDeps } from '../deps.ts';
import { reportMessage, reportQuery } from './report-message.ts';

const SORT: SortFields = {
  createdAt: { column: 'created_at', type: 'timestamptz' },
  state: { column: 'state', type: 'text' },
};

/** Lists the tenant's packages, by default the newest first. */
export function listReports(deps: ComplianceDeps): Handler<typeof compliance.ComplianceService.listReports> {
  return async (request, context) => {
    const { from, before } = timeRange(request);
    const condition = (eb: ExpressionBuilder<AuditSchema, 'compliance_reports'>) =>
      eb.and([
        ...(from ? [eb('created_at', '>=', from)] : []),
        ...(before ? [eb('created_at', '<', before)] : []),
        ...(request.state ? [eb('state', '=', request.state as ReportState)] : []),
      ]);
    const answer = await deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: reportQuery(reader).where(condition),
        sort: SORT,
        defaultSort: 'createdAt',
        defaultOrder: 'desc',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: reportMessage,
      }),
    );
    await recordRead(deps, context, request);
    return answer;
  };
}
