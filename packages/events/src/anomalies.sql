-- Anomalies that this service reported: one row for each that is going on, counted, until its last event is written.
CREATE TABLE anomalies (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  alert text NOT NULL,
  -- Whose event it becomes; null: that of the tenant that runs the installation.
  tenant_id uuid,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  details jsonb NOT NULL,
  -- Observations, and how many of them stand in events.
  observed bigint NOT NULL,
  reported bigint NOT NULL DEFAULT 0,
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the next event is written, if there is something to say.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE NULLS NOT DISTINCT (alert, tenant_id, subject_type, subject_id)
);
COMMENT ON TABLE anomalies IS 'tenantless: concerns the installation; the tenant is only whose log the event goes to';
CREATE INDEX anomalies_due ON anomalies (due_at);
DO $$ BEGIN
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON anomalies TO %I, %I',
    current_setting('claviger.service_role'), current_setting('claviger.system_role'));
END $$;
