import { rowMapper } from '@claviger/contracts';
import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { ScheduleRow } from '../compliance-tables.ts';
import { momentsOf } from './cron.ts';

const SHOWN_RUNS = 5;

const mapSchedule = rowMapper<compliance.Schedule>('claviger.audit.v1.Schedule');

/** A schedule with its next runs; the first is the stored one. */
export function scheduleMessage(row: ScheduleRow): compliance.Schedule {
  const later = momentsOf(row.cron, row.time_zone).next(SHOWN_RUNS - 1, row.next_run_at);
  return mapSchedule({
    ...row,
    next_runs: [row.next_run_at, ...later].map((run) => run.toISOString()),
  });
}
