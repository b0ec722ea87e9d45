-- Emergency access as workflow has opened it; whether it allows a disclosure is decided here, by the database's clock.
CREATE TABLE emergency_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  all_entries boolean NOT NULL,
  entry_ids uuid[] NOT NULL,
  resource_ids uuid[] NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_cause text,
  CHECK ((ended_at IS NULL) = (end_cause IS NULL)),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX emergency_sessions_of_user ON emergency_sessions (tenant_id, user_id) WHERE ended_at IS NULL;
CALL tenant_table('emergency_sessions', 'SELECT, INSERT, UPDATE');

-- Sessions that ended before the vault heard of them: a late call must not open them.
CREATE TABLE ended_emergency_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  ended_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CALL tenant_table('ended_emergency_sessions', 'SELECT, INSERT');

-- Every disclosure in an emergency. Written together with its audit event, once, whether it came straight or from a journal.
CREATE TABLE emergency_disclosures (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  session_id uuid NOT NULL,
  user_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  version int NOT NULL,
  disclosed_at timestamptz NOT NULL,
  -- The replica whose journal holds it, and its number there.
  node text NOT NULL,
  journal_seq bigint NOT NULL,
  from_journal boolean NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  rotation text CHECK (rotation IN ('queued', 'not-needed', 'impossible')),
  PRIMARY KEY (tenant_id, event_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id)
);
CREATE INDEX emergency_disclosures_of_session ON emergency_disclosures (tenant_id, session_id, disclosed_at);
CALL tenant_table('emergency_disclosures', 'SELECT, INSERT, UPDATE');
