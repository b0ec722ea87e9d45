-- Questions to the assistant and its answers. Nobody but their user reads them; they are erased after the days that the tenant has set.
CREATE TABLE assistant_exchanges (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  question text NOT NULL CHECK (length(question) BETWEEN 1 AND 4000),
  answer text NOT NULL CHECK (length(answer) <= 20000),
  answered_by text NOT NULL CHECK (answered_by IN ('deterministic', 'provider')),
  used jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX assistant_exchanges_user ON assistant_exchanges (tenant_id, user_id, created_at, id);
CREATE INDEX assistant_exchanges_created ON assistant_exchanges (tenant_id, created_at);
CALL tenant_table('assistant_exchanges', 'SELECT, INSERT, DELETE');

-- The duty that erases finds out whose are old, and reads none.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, created_at) ON assistant_exchanges TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON assistant_exchanges FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;
