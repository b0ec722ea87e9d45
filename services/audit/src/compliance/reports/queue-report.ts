import { randomUUID } from 'node:crypto';
import type { Section } from '@claviger/compliance-package';
import { serialized, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Emitter } from '@claviger/events';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import { buildReportJob } from '../building/build-report-job.ts';
import type { DayRange } from './report-range.ts';

/** Maximum number of queued and running packages of one tenant. */
const MAX_WAITING = 50;

export interface ReportOrder extends DayRange {
  readonly sections: readonly Section[];
  readonly requestedBy: string;
  readonly requestedByName: string;
  readonly scheduleId?: string;
  readonly note?: string;
  /** The CSV files begin with a byte order mark. */
  readonly bom?: boolean;
}

/**
 * Stores the order of a package and its job, in the caller's transaction. Returns the new id, or the id of an
 * equal order of the same actor or schedule that has not begun.
 *
 * @throws {ClavigerError} `rate_limited` (`too_many_reports`) when MAX_WAITING packages wait.
 */
export async function queueReport(
  tx: Tx<AuditSchema>,
  emitter: Emitter,
  tenantId: string,
  order: ReportOrder,
): Promise<string> {
  await serialized(tx, 'compliance-reports');
  const equal = await equalOrder(tx, order);
  if (equal !== undefined) return equal;
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
      bom: order.bom ?? false,
    })
    .execute();
  await emitter.job(tx, tenantId, buildReportJob.queue, { reportId: id });
  return id;
}

/**
 * Finds an equal order that has not begun: a report that has begun shows an earlier state, and one ordered
 * before a suspension will fail. The row lock prevents a claim of the order meanwhile.
 */
async function equalOrder(tx: Tx<AuditSchema>, order: ReportOrder): Promise<string | undefined> {
  const found = await tx
    .selectFrom('compliance_reports')
    .select('id')
    .where('next_attempt_at', 'is not', null)
    .where('as_of', 'is', null)
    .where(
      sql<boolean>`from_day = ${order.from}::date AND to_day = ${order.to}::date AND sections = ${order.sections}::text[]`,
    )
    .where('requested_by', '=', order.requestedBy)
    .where('schedule_id', 'is not distinct from', order.scheduleId ?? null)
    .where('note', '=', order.note ?? '')
    .where('bom', '=', order.bom ?? false)
    .where(
      sql<boolean>`NOT EXISTS (SELECT FROM tenant_standings AS standing WHERE standing.active_since > compliance_reports.created_at)`,
    )
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  return found?.id;
}

/** Limits the waiting packages. A person gets the error; a schedule retries later. */
async function refuseTooMany(tx: Tx<AuditSchema>): Promise<void> {
  const { waiting } = await tx
    .selectFrom('compliance_reports')
    .select((eb) => eb.fn.countAll<number>().as('waiting'))
    .where('next_attempt_at', 'is not', null)
    .executeTakeFirstOrThrow();
  if (waiting < MAX_WAITING) return;
  throw new ClavigerError('rate_limited', `${MAX_WAITING} packages are already waiting to be made.`, {
    code: 'too_many_reports',
    retryAfterSeconds: 60,
    hint: 'Try again when some of them are finished.',
  });
}
