import { randomUUID } from 'node:crypto';
import type { Section } from '@claviger/compliance-package';
import type { Tx } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type { AuditSchema } from '../../schema.ts';
import { buildReportJob } from '../building/build-report-job.ts';
import type { DayRange } from './report-range.ts';

export interface ReportOrder extends DayRange {
  readonly sections: readonly Section[];
  readonly requestedBy: string;
  readonly requestedByName: string;
  readonly scheduleId?: string;
  readonly note?: string;
}

/** Stores the order of a package and wakes a worker for it, in the acting transaction. Answers its id. */
export async function queueReport(
  tx: Tx<AuditSchema>,
  emitter: Emitter,
  tenantId: string,
  order: ReportOrder,
): Promise<string> {
  const id = randomUUID();
  await tx
    .insertInto('compliance_reports')
    .values({
      tenant_id: tenantId,
      id,
      from_day: order.from,
      to_day: order.to,
      sections: [...order.sections],
      note: order.note ?? '',
      requested_by: order.requestedBy,
      requested_by_name: order.requestedByName,
      schedule_id: order.scheduleId ?? null,
    })
    .execute();
  await emitter.job(tx, tenantId, buildReportJob.queue, { reportId: id });
  return id;
}
