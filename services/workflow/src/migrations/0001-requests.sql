-- What a request for a resource must pass. A resource without a row has the default policy.
CREATE TABLE access_policies (
  tenant_id uuid NOT NULL,
  resource_id uuid NOT NULL,
  -- [{name, quorum, approverUserIds, approverRoles}], passed one after the other.
  steps jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) BETWEEN 1 AND 10),
  max_duration_minutes int NOT NULL CHECK (max_duration_minutes BETWEEN 1 AND 43200),
  one_time boolean NOT NULL,
  rotate_on_end boolean NOT NULL,
  request_ttl_minutes int NOT NULL CHECK (request_ttl_minutes BETWEEN 1 AND 43200),
  updated_by uuid NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, resource_id)
);
CALL tenant_table('access_policies', 'SELECT, INSERT, UPDATE');

CREATE TABLE requests (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('access')),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied', 'cancelled', 'expired')),
  requester_id uuid NOT NULL,
  requester_name text NOT NULL,
  entry_id uuid NOT NULL,
  entry_name text NOT NULL,
  -- Absent where the entry belongs to no resource.
  resource_id uuid,
  resource_name text NOT NULL,
  module_type text NOT NULL,
  reason text NOT NULL,
  ticket text NOT NULL,
  duration_minutes int NOT NULL CHECK (duration_minutes BETWEEN 1 AND 43200),
  -- Shortest that an approver has set so far.
  approved_duration_minutes int CHECK (approved_duration_minutes BETWEEN 1 AND duration_minutes),
  -- Hex SHA-256 over the canonical JSON of what is asked for.
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  -- The policy as it was when the request was made.
  steps jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) BETWEEN 1 AND 10),
  one_time boolean NOT NULL,
  rotate_on_end boolean NOT NULL,
  -- Index of the step that waits for approvals; the number of steps when all are done.
  open_step int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK ((status = 'pending') = (decided_at IS NULL)),
  CHECK ((status = 'approved') = (open_step = jsonb_array_length(steps)))
);
CREATE INDEX requests_created ON requests (tenant_id, created_at, id);
CREATE INDEX requests_expires ON requests (tenant_id, expires_at, id);
CREATE INDEX requests_requester ON requests (tenant_id, requester_id, created_at, id);
CREATE INDEX requests_requester_name ON requests (tenant_id, requester_name, id);
CREATE INDEX requests_resource_name ON requests (tenant_id, resource_name, id);
CREATE INDEX requests_resource ON requests (tenant_id, resource_id, created_at, id);
CREATE INDEX requests_due ON requests (expires_at) WHERE status = 'pending';
-- The same person asks for the same thing once at a time.
CREATE UNIQUE INDEX requests_once_pending ON requests (tenant_id, requester_id, entry_id, digest) WHERE status = 'pending';
CALL tenant_table('requests', 'SELECT, INSERT, UPDATE');

CREATE TABLE decisions (
  tenant_id uuid NOT NULL,
  request_id uuid NOT NULL,
  step int NOT NULL CHECK (step >= 0),
  user_id uuid NOT NULL,
  user_name text NOT NULL,
  decision text NOT NULL CHECK (decision IN ('approve', 'deny')),
  comment text NOT NULL,
  duration_minutes int CHECK (duration_minutes BETWEEN 1 AND 43200),
  decided_at timestamptz NOT NULL DEFAULT now(),
  -- A person counts once in a request, whatever the number of its steps.
  PRIMARY KEY (tenant_id, request_id, user_id),
  FOREIGN KEY (tenant_id, request_id) REFERENCES requests (tenant_id, id)
);
-- One denial ends a request.
CREATE UNIQUE INDEX decisions_one_denial ON decisions (tenant_id, request_id) WHERE decision = 'deny';
CALL tenant_table('decisions', 'SELECT, INSERT');

CREATE TABLE grants (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  request_id uuid NOT NULL,
  user_id uuid NOT NULL,
  user_name text NOT NULL,
  entry_id uuid NOT NULL,
  entry_name text NOT NULL,
  resource_id uuid,
  resource_name text NOT NULL,
  module_type text NOT NULL,
  status text NOT NULL DEFAULT 'activating' CHECK (status IN ('activating', 'active', 'expired', 'revoked')),
  one_time boolean NOT NULL,
  rotate_on_end boolean NOT NULL,
  starts_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > starts_at),
  ended_at timestamptz,
  credentials_delivered_at timestamptz,
  revoked_by uuid,
  revoke_reason text NOT NULL DEFAULT '',
  -- What the vault has yet to be told: 'place' or 'remove' the entitlement. Repeated until it has confirmed.
  sync_wanted text CHECK (sync_wanted IN ('place', 'remove')),
  next_sync_at timestamptz,
  sync_attempts int NOT NULL DEFAULT 0,
  -- Last time the vault was asked to place the entitlement: such a call may still be on its way.
  place_asked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, request_id),
  FOREIGN KEY (tenant_id, request_id) REFERENCES requests (tenant_id, id),
  CHECK ((status IN ('expired', 'revoked')) = (ended_at IS NOT NULL)),
  CHECK ((status = 'revoked') = (revoked_by IS NOT NULL)),
  CHECK ((sync_wanted IS NULL) = (next_sync_at IS NULL)),
  CHECK ((status = 'activating') = (sync_wanted IS NOT DISTINCT FROM 'place')),
  CHECK (status <> 'active' OR sync_wanted IS NULL)
);
CREATE INDEX grants_starts ON grants (tenant_id, starts_at, id);
CREATE INDEX grants_expires ON grants (tenant_id, expires_at, id);
CREATE INDEX grants_user ON grants (tenant_id, user_id, starts_at, id);
CREATE INDEX grants_user_name ON grants (tenant_id, user_name, id);
CREATE INDEX grants_resource_name ON grants (tenant_id, resource_name, id);
CREATE INDEX grants_resource ON grants (tenant_id, resource_id, starts_at, id);
CREATE INDEX grants_live ON grants (expires_at) WHERE status IN ('activating', 'active');
CREATE INDEX grants_to_sync ON grants (next_sync_at) WHERE next_sync_at IS NOT NULL;
CALL tenant_table('grants', 'SELECT, INSERT, UPDATE');

-- The sweeps find what is due across tenants and see no more than that.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, status, expires_at) ON requests TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON requests FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT (tenant_id, id, status, expires_at, next_sync_at) ON grants TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON grants FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;

-- The rules of the request machine once more, so that no path around it exists.
CREATE FUNCTION guard_request() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.status <> 'pending' THEN
    RAISE EXCEPTION 'request % is final', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.tenant_id, NEW.id, NEW.kind, NEW.requester_id, NEW.entry_id, NEW.resource_id, NEW.reason, NEW.ticket,
      NEW.duration_minutes, NEW.digest, NEW.steps, NEW.one_time, NEW.rotate_on_end, NEW.created_at, NEW.expires_at)
    IS DISTINCT FROM
     (OLD.tenant_id, OLD.id, OLD.kind, OLD.requester_id, OLD.entry_id, OLD.resource_id, OLD.reason, OLD.ticket,
      OLD.duration_minutes, OLD.digest, OLD.steps, OLD.one_time, OLD.rotate_on_end, OLD.created_at, OLD.expires_at) THEN
    RAISE EXCEPTION 'what request % asks for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_request BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION guard_request();

CREATE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE request requests;
BEGIN
  SELECT * INTO request FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id;
  IF request.requester_id = NEW.user_id THEN
    RAISE EXCEPTION 'nobody decides on their own request' USING ERRCODE = 'check_violation';
  END IF;
  IF request.status <> 'pending' OR request.open_step <> NEW.step THEN
    RAISE EXCEPTION 'request % does not wait for this decision', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_decision BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION guard_decision();

CREATE FUNCTION guard_new_grant() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id
                 AND status = 'approved' AND requester_id = NEW.user_id AND entry_id = NEW.entry_id) THEN
    RAISE EXCEPTION 'a grant needs the approved request of its user' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_new_grant BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION guard_new_grant();

CREATE FUNCTION guard_grant() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.status <> OLD.status AND NOT (
    (OLD.status = 'activating') OR (OLD.status = 'active' AND NEW.status IN ('expired', 'revoked'))) THEN
    RAISE EXCEPTION 'grant % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.tenant_id, NEW.id, NEW.request_id, NEW.user_id, NEW.entry_id, NEW.resource_id, NEW.one_time, NEW.rotate_on_end,
      NEW.starts_at, NEW.expires_at)
    IS DISTINCT FROM
     (OLD.tenant_id, OLD.id, OLD.request_id, OLD.user_id, OLD.entry_id, OLD.resource_id, OLD.one_time, OLD.rotate_on_end,
      OLD.starts_at, OLD.expires_at) THEN
    RAISE EXCEPTION 'what grant % allows never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
    RAISE EXCEPTION 'grant % has ended', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_grant BEFORE UPDATE ON grants FOR EACH ROW EXECUTE FUNCTION guard_grant();
