import type { Section } from '@claviger/compliance-package';
import type { ColumnType, Generated, Selectable } from 'kysely';

export type Period = 'day' | 'week' | 'month' | 'quarter';
export type ReportState = 'queued' | 'running' | 'ready' | 'failed' | 'expired';

export interface SchedulesTable {
  tenant_id: string;
  id: string;
  name: string;
  cron: string;
  time_zone: string;
  period: Period;
  sections: Section[];
  next_run_at: Date;
  last_run_at: Date | null;
  /** Why the due run could not be ordered; empty after success. */
  problem: Generated<string>;
  /** Next attempt of the due run; null unless it was refused. */
  retry_at: Date | null;
  created_by: string;
  created_by_name: string;
  created_at: Generated<Date>;
  bom: Generated<boolean>;
}

export interface ReportsTable {
  tenant_id: string;
  id: string;
  state: Generated<ReportState>;
  /** Read as text (`from_day::text`): a date has no time zone. */
  from_day: ColumnType<unknown, string, never>;
  to_day: ColumnType<unknown, string, never>;
  sections: Section[];
  progress_percent: Generated<number>;
  problem: Generated<string>;
  note: Generated<string>;
  requested_by: string;
  requested_by_name: string;
  schedule_id: string | null;
  created_at: Generated<Date>;
  as_of: Date | null;
  tree_size: number | null;
  attempts: Generated<number>;
  next_attempt_at: ColumnType<Date | null, Date | undefined, Date | null>;
  lease_owner: string | null;
  lease_until: Date | null;
  finished_at: Date | null;
  expires_at: Date | null;
  size_bytes: number | null;
  sha256: string | null;
  /** The CSV files begin with a byte order mark. */
  bom: Generated<boolean>;
}

export interface ComplianceSchema {
  compliance_schedules: SchedulesTable;
  compliance_reports: ReportsTable;
  /** Start of the tenant's last package. */
  compliance_turns: { tenant_id: string; taken_at: Generated<Date> };
  compliance_package_chunks: { tenant_id: string; report_id: string; number: number; bytes: Buffer };
  compliance_occurrences: {
    tenant_id: string;
    schedule_id: string;
    occurrence: Date;
    report_id: string;
    missed: Generated<number>;
    created_at: Generated<Date>;
  };
}

export type ScheduleRow = Selectable<SchedulesTable>;
