-- Reads of the audit log that somebody repeats: one row for each actor, operation and filter, while it goes on. It holds what the
-- next event will say, so that no count is lost with a process.
CREATE TABLE audited_reads (
  tenant_id uuid NOT NULL,
  -- SHA-256 over actor, operation and filter.
  key bytea NOT NULL,
  -- The canonical text of the last event.
  event text NOT NULL,
  -- Reads since that event.
  repeated bigint NOT NULL DEFAULT 0,
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the next event is written, or the row removed.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '10 minutes',
  PRIMARY KEY (tenant_id, key)
);
CREATE INDEX audited_reads_due ON audited_reads (due_at);
CALL tenant_table('audited_reads');
CALL system_reads('audited_reads');
