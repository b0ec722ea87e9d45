-- The log itself is what waits to be passed on: a target of a tenant is no more than a place in it.
CREATE TABLE siem_cursors (
  tenant_id uuid NOT NULL,
  -- Name of the target in the settings `siem.targets`.
  target text COLLATE "C" NOT NULL,
  -- Set and enabled.
  active boolean NOT NULL,
  -- Every sealed event before it was passed on, or is none of the target's.
  next_sequence bigint NOT NULL CHECK (next_sequence >= 0),
  -- A batch that failed is sent again with the same end, so that its idempotency key is the same.
  retry_through bigint,
  failures integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_success_at timestamptz,
  last_failure_at timestamptz,
  -- May be shown.
  last_error text NOT NULL DEFAULT '',
  PRIMARY KEY (tenant_id, target)
);
CALL tenant_table('siem_cursors', 'SELECT, INSERT, UPDATE');
CALL system_reads('siem_cursors');
