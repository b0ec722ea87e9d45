-- Envelope codes that take the place of a second person. Only hashes lie here; the code has 128 random bits.
CREATE TABLE breakglass_codes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz,
  used_by uuid,
  -- Newer codes have taken its place.
  withdrawn_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, code_hash),
  CHECK ((used_at IS NULL) = (used_by IS NULL)),
  CHECK (used_at IS NULL OR withdrawn_at IS NULL)
);
CALL tenant_table('breakglass_codes', 'SELECT, INSERT, UPDATE');

-- Wrong codes of the last minutes, by who gave them.
CREATE TABLE breakglass_wrong_codes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  given_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX breakglass_wrong_codes_user ON breakglass_wrong_codes (tenant_id, user_id, given_at);
CALL tenant_table('breakglass_wrong_codes', 'SELECT, INSERT, DELETE');

CREATE TABLE breakglass_sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('awaiting-confirmation', 'active', 'expired', 'deactivated', 'lapsed')),
  user_id uuid NOT NULL,
  user_name text NOT NULL,
  reason text NOT NULL,
  all_entries boolean NOT NULL,
  entry_ids uuid[] NOT NULL,
  resource_ids uuid[] NOT NULL,
  duration_minutes int NOT NULL CHECK (duration_minutes BETWEEN 1 AND 1440),
  opened_by text NOT NULL CHECK (opened_by IN ('second-person', 'sealed-code')),
  code_id uuid,
  confirmed_by uuid,
  confirmed_by_name text NOT NULL DEFAULT '',
  requested_at timestamptz NOT NULL DEFAULT now(),
  confirm_until timestamptz NOT NULL,
  activated_at timestamptz,
  expires_at timestamptz,
  ended_at timestamptz,
  ended_by_name text NOT NULL DEFAULT '',
  end_reason text NOT NULL DEFAULT '',
  -- As the vault has told at the end.
  disclosed int NOT NULL DEFAULT 0,
  rotations_queued int NOT NULL DEFAULT 0,
  rotations_impossible int NOT NULL DEFAULT 0,
  review text NOT NULL DEFAULT '',
  reviewed_by uuid,
  reviewed_by_name text NOT NULL DEFAULT '',
  reviewed_at timestamptz,
  -- What auth and the vault have yet to be told; next_sync_at makes it due.
  sync_wanted text CHECK (sync_wanted IN ('place', 'end')),
  next_sync_at timestamptz,
  sync_attempts int NOT NULL DEFAULT 0,
  -- The vault has said that it knows.
  placed_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, code_id) REFERENCES breakglass_codes (tenant_id, id),
  CHECK (user_id <> confirmed_by),
  CHECK (reviewed_by NOT IN (user_id, confirmed_by)),
  CHECK ((activated_at IS NULL) = (expires_at IS NULL)),
  CHECK (state <> 'active' OR activated_at IS NOT NULL),
  CHECK (activated_at IS NULL OR (opened_by = 'sealed-code') = (code_id IS NOT NULL)),
  CHECK (activated_at IS NULL OR (opened_by = 'second-person') = (confirmed_by IS NOT NULL)),
  CHECK ((state IN ('awaiting-confirmation', 'active')) = (ended_at IS NULL)),
  CHECK ((sync_wanted IS NULL) = (next_sync_at IS NULL)),
  CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL))
);
CREATE UNIQUE INDEX breakglass_once_open ON breakglass_sessions (tenant_id, user_id)
  WHERE state IN ('awaiting-confirmation', 'active');
CREATE INDEX breakglass_requested ON breakglass_sessions (tenant_id, requested_at, id);
CREATE INDEX breakglass_user_name ON breakglass_sessions (tenant_id, user_name, id);
CREATE INDEX breakglass_user ON breakglass_sessions (tenant_id, user_id, requested_at, id);
CREATE INDEX breakglass_unreviewed ON breakglass_sessions (tenant_id, id)
  WHERE state IN ('expired', 'deactivated') AND reviewed_at IS NULL;
CREATE INDEX breakglass_due ON breakglass_sessions (coalesce(expires_at, confirm_until))
  WHERE state IN ('awaiting-confirmation', 'active');
CREATE INDEX breakglass_to_sync ON breakglass_sessions (next_sync_at) WHERE next_sync_at IS NOT NULL;
CALL tenant_table('breakglass_sessions', 'SELECT, INSERT, UPDATE');

CREATE TABLE breakglass_drills (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  passed boolean NOT NULL,
  run_by uuid NOT NULL,
  run_by_name text NOT NULL,
  run_at timestamptz NOT NULL DEFAULT now(),
  -- [{name, node, ok, problem, tookMs}]
  steps jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array'),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX breakglass_drills_run ON breakglass_drills (tenant_id, run_at, id);
CALL tenant_table('breakglass_drills', 'SELECT, INSERT');

-- The sweep finds what is due across tenants and sees no more than that.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, state, confirm_until, expires_at, next_sync_at) ON breakglass_sessions TO %I',
    current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON breakglass_sessions FOR SELECT TO %I USING (true)',
    current_setting('claviger.system_role'));
END $$;

-- The rules of the sessions once more, so that no path around them exists.
CREATE FUNCTION guard_breakglass_session() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.state <> OLD.state AND NOT (
    (OLD.state = 'awaiting-confirmation' AND NEW.state IN ('active', 'deactivated', 'lapsed'))
    OR (OLD.state = 'active' AND NEW.state IN ('expired', 'deactivated'))) THEN
    RAISE EXCEPTION 'session % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.tenant_id, NEW.id, NEW.user_id, NEW.reason, NEW.all_entries, NEW.entry_ids, NEW.resource_ids, NEW.opened_by,
      NEW.code_id, NEW.requested_at, NEW.confirm_until)
    IS DISTINCT FROM
     (OLD.tenant_id, OLD.id, OLD.user_id, OLD.reason, OLD.all_entries, OLD.entry_ids, OLD.resource_ids, OLD.opened_by,
      OLD.code_id, OLD.requested_at, OLD.confirm_until)
    OR (OLD.activated_at IS NOT NULL AND (NEW.activated_at, NEW.expires_at, NEW.confirmed_by)
      IS DISTINCT FROM (OLD.activated_at, OLD.expires_at, OLD.confirmed_by))
    OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    OR (OLD.reviewed_at IS NOT NULL AND (NEW.reviewed_at, NEW.reviewed_by, NEW.review)
      IS DISTINCT FROM (OLD.reviewed_at, OLD.reviewed_by, OLD.review)) THEN
    RAISE EXCEPTION 'what session % was opened for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_breakglass_session BEFORE UPDATE ON breakglass_sessions
  FOR EACH ROW EXECUTE FUNCTION guard_breakglass_session();

CREATE FUNCTION guard_breakglass_code() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.used_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL OR NEW.code_hash <> OLD.code_hash THEN
    RAISE EXCEPTION 'a sealed code works once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_breakglass_code BEFORE UPDATE ON breakglass_codes
  FOR EACH ROW EXECUTE FUNCTION guard_breakglass_code();
