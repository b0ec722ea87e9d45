import type { Leadership } from '@claviger/cluster';
import { isActiveTenant, ofActiveTenant, type Tx } from '@claviger/database';
import { isClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuditSchema } from '../../schema.ts';
import type { ScheduleRow } from '../compliance-tables.ts';
import type { ComplianceDeps } from '../deps.ts';
import { queueReport } from '../reports/queue-report.ts';
import { dueMoment, type Moments, momentsOf } from './cron.ts';
import { lastPeriod } from './period.ts';

const BATCH = 100;
const RETRY_MINUTES = 5;

/** A refused run waits until its next attempt and is not part of a batch before that. */
const retryIsDue = sql<boolean>`(retry_at IS NULL OR retry_at <= now())`;

type ScheduleDeps = Pick<ComplianceDeps, 'database' | 'emitter' | 'logger'>;

/**
 * Orders the due reports, each once, and returns how many it ordered. Schedules of suspended tenants wait.
 */
export async function runDueSchedules(deps: ScheduleDeps, leadership: Leadership): Promise<number> {
  const due = await deps.database.systemQuery((reader) =>
    reader
      .selectFrom('compliance_schedules')
      .select(['tenant_id', 'id'])
      .where('next_run_at', '<=', sql<Date>`now()`)
      .where(retryIsDue)
      .where(ofActiveTenant('compliance_schedules.tenant_id'))
      .orderBy('next_run_at')
      .limit(BATCH)
      .compile(),
  );
  let ordered = 0;
  for (const { tenant_id, id } of due) {
    if (leadership.signal.aborted) break;
    // A failure of one schedule must not delay the others.
    const ran = await runSchedule(deps, leadership, tenant_id, id).catch(async (error: unknown) => {
      if (!leadership.holds()) throw error;
      await postponeRun(deps, leadership, { tenantId: tenant_id, id, error });
      return false;
    });
    if (ran) ordered += 1;
  }
  return ordered;
}

/**
 * Orders the report of one schedule and sets its next run, in one transaction under the leader's term. After
 * missed runs, it orders one report for the newest moment, with a note.
 */
async function runSchedule(
  { database, emitter }: ScheduleDeps,
  leadership: Leadership,
  tenantId: string,
  id: string,
): Promise<boolean> {
  return database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    if (!(await isActiveTenant(tx))) return false;
    const found = await tx
      .selectFrom('compliance_schedules')
      .selectAll()
      .select(sql<Date>`now()`.as('now'))
      .where('id', '=', id)
      .where('next_run_at', '<=', sql<Date>`now()`)
      .where(retryIsDue)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (found === undefined) return false;
    const { now, ...schedule } = found;
    const moments = momentsOf(schedule.cron, schedule.time_zone, now);
    const { occurrence, missed } = dueMoment(moments, schedule.next_run_at, now);
    const reportId = await queueReport(tx, emitter, tenantId, {
      ...lastPeriod(schedule.period, occurrence, schedule.time_zone),
      sections: schedule.sections,
      requestedBy: schedule.created_by,
      requestedByName: schedule.created_by_name,
      scheduleId: id,
      bom: schedule.bom,
      note: missed === 0 ? '' : `${missed} earlier ${missed === 1 ? 'run was' : 'runs were'} missed`,
    });
    await recordRun(tx, schedule, { occurrence, missed, reportId, next: nextOf(moments, now) });
    await emitter.auditDuty(tx, {
      tenantId,
      action: 'compliance.schedule.ran',
      outcome: 'allowed',
      subjectType: 'compliance-schedule',
      subjectId: id,
      resourceId: '',
      requestId: '',
      reason: '',
      details: { reportId, occurrence: occurrence.toISOString(), missed },
    });
    return true;
  });
}

/**
 * Postpones a refused run by some minutes. The schedule shows the problem until a run succeeds; the service
 * logs each problem once. Changes nothing when another replica has run the schedule.
 */
async function postponeRun(
  { database, logger }: ScheduleDeps,
  leadership: Leadership,
  { tenantId, id, error }: { tenantId: string; id: string; error: unknown },
): Promise<void> {
  const problem = isClavigerError(error) ? error.message : 'The run could not be ordered.';
  const record = database.withTenant(tenantId, async (tx) => {
    await leadership.assert(tx);
    const found = await tx
      .selectFrom('compliance_schedules')
      .select('problem')
      .where('id', '=', id)
      .where('next_run_at', '<=', sql<Date>`now()`)
      .forUpdate()
      .executeTakeFirst();
    await tx
      .updateTable('compliance_schedules')
      .set({ problem, retry_at: sql<Date>`now() + make_interval(mins => ${RETRY_MINUTES})` })
      .where('id', '=', id)
      .where('next_run_at', '<=', sql<Date>`now()`)
      .execute();
    return found?.problem;
  });
  // If this write fails too, the next sweep retries at once.
  const before = await record.catch(() => undefined);
  if (before === problem) return;
  logger.warn({ err: error, scheduleId: id }, 'a scheduled report could not be ordered; it is retried');
}

function nextOf(moments: Moments, now: Date): Date {
  // create-schedule refuses a pattern that ends.
  return moments.next(1, now)[0]!;
}

/** The primary key of compliance_occurrences refuses a second run of the same moment. */
async function recordRun(
  tx: Tx<AuditSchema>,
  schedule: ScheduleRow,
  run: { occurrence: Date; missed: number; reportId: string; next: Date },
): Promise<void> {
  await tx
    .insertInto('compliance_occurrences')
    .values({
      tenant_id: schedule.tenant_id,
      schedule_id: schedule.id,
      occurrence: run.occurrence,
      report_id: run.reportId,
      missed: run.missed,
    })
    .execute();
  await tx
    .updateTable('compliance_schedules')
    .set({ next_run_at: run.next, last_run_at: run.occurrence, problem: '', retry_at: null })
    .where('id', '=', schedule.id)
    .execute();
}
