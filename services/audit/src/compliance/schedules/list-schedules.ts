import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { recordRead } from '../../reads/record-read.ts';
import type { ComplianceDeps } from '../deps.ts';
import { scheduleMessage } from './schedule-message.ts';

const SORT: SortFields = {
  name: { column: 'name', type: 'text' },
  nextRunAt: { column: 'next_run_at', type: 'timestamptz' },
  createdAt: { column: 'created_at', type: 'timestamptz' },
};

export function listSchedules(
  deps: ComplianceDeps,
): Handler<typeof compliance.ComplianceService.listSchedules> {
  return async (request, context) => {
    const answer = await deps.database.readTenant(context.tenantId, (reader) =>
      pageOf({
        request,
        query: reader.selectFrom('compliance_schedules').selectAll(),
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'id', type: 'uuid' },
        map: scheduleMessage,
      }),
    );
    await recordRead(deps, context, request);
    return answer;
  };
}
