import type * as compliance from '@claviger/contracts/audit/v1/compliance';
import type { ScheduleRow } from '../compliance-tables.ts';
import { momentsOf } from './cron.ts';

const SHOWN_RUNS = 5;

/** A schedule with its next runs, the first of which is the one that the queue holds. */
export function scheduleMessage(row: ScheduleRow): compliance.Schedule {
  const later = momentsOf(row.cron, row.time_zone).next(SHOWN_RUNS - 1, row.next_run_at);
  return {
    id: row.id,
    name: row.name,
    cron: row.cron,
    timeZone: row.time_zone,
    period: row.period,
    sections: row.sections,
    nextRuns: [row.next_run_at, ...later].map((run) => run.toISOString()),
    lastRunAt: row.last_run_at?.toISOString(),
    createdBy: row.created_by,
    problem: row.problem,
    createdAt: row.created_at.toISOString(),
    bom: row.bom,
  };
}
