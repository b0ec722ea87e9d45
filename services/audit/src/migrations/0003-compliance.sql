-- Packages for auditors, and the schedules that ask for them.
CREATE TABLE compliance_schedules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  cron text NOT NULL,
  time_zone text NOT NULL,
  -- The range of each report: the last whole one before the run.
  period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'quarter')),
  sections text[] NOT NULL,
  -- By the database's clock.
  next_run_at timestamptz NOT NULL,
  last_run_at timestamptz,
  created_by text NOT NULL,
  created_by_name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX compliance_schedules_due ON compliance_schedules (next_run_at);
CALL tenant_table('compliance_schedules');
CALL system_reads('compliance_schedules');

CREATE TABLE compliance_reports (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'ready', 'failed', 'expired')),
  -- Whole days, both included, UTC.
  from_day date NOT NULL,
  to_day date NOT NULL CHECK (to_day >= from_day),
  sections text[] NOT NULL,
  progress_percent int NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
  problem text NOT NULL DEFAULT '',
  note text NOT NULL DEFAULT '',
  requested_by text NOT NULL,
  requested_by_name text NOT NULL,
  schedule_id uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Fixed when it is first begun, so that another try makes the same package.
  as_of timestamptz(3),
  tree_size bigint,
  attempts int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz DEFAULT now(),
  lease_owner text,
  lease_until timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  size_bytes bigint,
  sha256 text,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX compliance_reports_due ON compliance_reports (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX compliance_reports_expiring ON compliance_reports (expires_at) WHERE state = 'ready';
CREATE INDEX compliance_reports_by_time ON compliance_reports (tenant_id, created_at, id);
CALL tenant_table('compliance_reports', 'SELECT, INSERT, UPDATE');
CALL system_reads('compliance_reports');

-- The bytes of a finished package, in order. In the database, so that every replica can hand it out.
CREATE TABLE compliance_package_chunks (
  tenant_id uuid NOT NULL,
  report_id uuid NOT NULL,
  number int NOT NULL CHECK (number >= 0),
  bytes bytea NOT NULL,
  PRIMARY KEY (tenant_id, report_id, number),
  FOREIGN KEY (tenant_id, report_id) REFERENCES compliance_reports (tenant_id, id)
);
-- Packed already.
ALTER TABLE compliance_package_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
CALL tenant_table('compliance_package_chunks', 'SELECT, INSERT, DELETE');

-- Each moment at which a schedule ran, once. It stays when the schedule goes.
CREATE TABLE compliance_occurrences (
  tenant_id uuid NOT NULL,
  schedule_id uuid NOT NULL,
  occurrence timestamptz NOT NULL,
  report_id uuid NOT NULL,
  -- Moments before it that passed while nothing ran.
  missed int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, schedule_id, occurrence),
  FOREIGN KEY (tenant_id, report_id) REFERENCES compliance_reports (tenant_id, id)
);
CALL tenant_table('compliance_occurrences', 'SELECT, INSERT');
