-- When a package of the tenant was begun last: the tenants whose packages wait take turns.
CREATE TABLE compliance_turns (
  tenant_id uuid NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id)
);
CALL tenant_table('compliance_turns', 'SELECT, INSERT, UPDATE');
CALL system_reads('compliance_turns');

-- Why the run of a schedule that is due could not be ordered, and when it is tried again.
ALTER TABLE compliance_schedules ADD COLUMN problem text NOT NULL DEFAULT '';
ALTER TABLE compliance_schedules ADD COLUMN retry_at timestamptz;
