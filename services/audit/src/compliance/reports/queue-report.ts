import { randomUUID } from 'node:crypto';
import type { Section } from '@claviger/compliance-package';
import { serialized, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Emitter } from '@claviger/events';
import type { AuditSchema } from '../../schema.ts';
import { buildReportJob } from '../building/build-report-job.ts';
import type { DayRange } from './report-range.ts';

/** Of a tenant: packages that wait or are being made. */
const MAX_WAITING = 50;

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
  await refuseTooMany(tx);
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

/** A person is told; a schedule that finds no room is tried again until it does. */
async function refuseTooMany(tx: Tx<AuditSchema>): Promise<void> {
  await serialized(tx, 'compliance-reports');
  const { waiting } = await tx
    .selectFrom('compliance_reports')
    .select((eb) => eb.fn.countAll<number>().as('waiting'))
    .where('next_attempt_at', 'is not', null)
    .executeTakeFirstOrThrow();
  if (waiting < MAX_WAITING) return;
  throw new ClavigerError('rate_limited', `There are ${MAX_WAITING} packages waiting to be made already.`, {
    code: 'too_many_reports',
    retryAfterSeconds: 60,
    hint: 'Wait until some of them are made.',
  });
}
