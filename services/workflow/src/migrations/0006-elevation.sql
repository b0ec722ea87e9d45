-- Requests to be administrator for a while. Status and times are the machine's; the facts stand in `evaluations`.
CREATE TABLE elevation_requests (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  flow_type text NOT NULL CHECK (flow_type IN ('uac_intercept', 'tech_jit_admin', 'ai_tool_action')),
  status text NOT NULL CHECK (status IN ('pending', 'approved', 'auto_approved', 'denied', 'expired', 'revoked', 'actuating')),
  device_id uuid,
  device_hostname text,
  site_id uuid,
  site_name text,
  subject_username text,
  subject_user_id uuid,
  -- Everybody who might be meant by the name: none of them decides.
  possible_user_ids uuid[] NOT NULL DEFAULT '{}',
  -- Who has asked: a person or a machine, and who made the machine's token. Of a prompt nobody: the device reports it.
  requester_id uuid,
  requester_made_by uuid,
  target_executable_path text,
  target_executable_hash text,
  target_executable_signer text,
  parent_image text,
  pid bigint,
  -- Command lines carry passwords: only what tells two of them apart is kept.
  command_line_sha256 text CHECK (command_line_sha256 ~ '^[0-9a-f]{64}$'),
  command_line_length int CHECK (command_line_length > 0),
  reason text NOT NULL,
  -- For how long a technician has asked.
  requested_minutes int CHECK (requested_minutes BETWEEN 1 AND 1440),
  -- As the device's clock said; it decides nothing.
  observed_at timestamptz,
  requested_at timestamptz NOT NULL,
  decided_at timestamptz,
  -- Of a pending one: until when it may be decided; else until when it is in force.
  expires_at timestamptz,
  ended_at timestamptz,
  approved_by uuid,
  approved_by_name text,
  denied_by uuid,
  denied_by_name text,
  revoked_by uuid,
  revoked_by_name text,
  decision_reason text,
  matched_policy_name text,
  pam_rule_id text,
  pam_rule_name text,
  decision_source text CHECK (decision_source IN ('software_policy', 'pam_rule', 'human')),
  rule_set_version text NOT NULL,
  actuation_outcome text CHECK (actuation_outcome IN ('succeeded', 'failed', 'timed_out')),
  tool_name text,
  risk_tier int CHECK (risk_tier BETWEEN 0 AND 4),
  action_digest text CHECK (action_digest ~ '^[0-9a-f]{64}$'),
  execution_expires_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK ((flow_type = 'ai_tool_action') = (action_digest IS NOT NULL)),
  CHECK ((flow_type = 'ai_tool_action') = (execution_expires_at IS NOT NULL)),
  CHECK (flow_type = 'ai_tool_action' OR device_id IS NOT NULL),
  CHECK ((flow_type = 'uac_intercept') = (requester_id IS NULL)),
  CHECK (status <> 'pending' OR decided_at IS NULL),
  CHECK (status IN ('denied', 'expired', 'revoked') OR (expires_at IS NOT NULL AND ended_at IS NULL)),
  CHECK (status IN ('pending', 'expired') OR decided_at IS NOT NULL),
  CHECK ((decided_at IS NULL) = (decision_source IS NULL))
);
CREATE INDEX elevation_requests_requested ON elevation_requests (tenant_id, requested_at, id);
CREATE INDEX elevation_requests_status ON elevation_requests (tenant_id, status, requested_at, id);
CREATE INDEX elevation_requests_device ON elevation_requests (tenant_id, device_id, requested_at, id);
CREATE INDEX elevation_requests_site ON elevation_requests (tenant_id, site_id, requested_at, id);
CREATE INDEX elevation_requests_subject ON elevation_requests (tenant_id, subject_user_id, requested_at);
CREATE INDEX elevation_requests_active ON elevation_requests (tenant_id, expires_at, id)
  WHERE status IN ('approved', 'auto_approved', 'actuating');
CREATE INDEX elevation_requests_due ON elevation_requests (expires_at)
  WHERE status IN ('pending', 'approved', 'auto_approved', 'actuating');
CALL tenant_table('elevation_requests', 'SELECT, INSERT, UPDATE');

-- What a device is told to do. It carries an id and a time limit: no user, no program, no credential.
CREATE TABLE device_commands (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  device_id uuid NOT NULL,
  request_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('actuate_elevation', 'revoke_elevation')),
  timeout_ms int NOT NULL CHECK (timeout_ms BETWEEN 1000 AND 60000),
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  first_delivered_at timestamptz,
  outcome text CHECK (outcome IN ('succeeded', 'failed', 'timed_out')),
  outcome_detail text NOT NULL DEFAULT '',
  reported_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  -- Single use: an elevation is actuated once, and taken back once.
  UNIQUE (tenant_id, request_id, type),
  FOREIGN KEY (tenant_id, request_id) REFERENCES elevation_requests (tenant_id, id),
  CHECK ((outcome IS NULL) = (reported_at IS NULL))
);
CREATE INDEX device_commands_open ON device_commands (device_id, queued_at) WHERE outcome IS NULL;
CALL tenant_table('device_commands', 'SELECT, INSERT, UPDATE');

-- The sweep finds what is due, and one check for all waiting agents finds whose commands are open.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, status, expires_at) ON elevation_requests TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON elevation_requests FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT (tenant_id, device_id, queued_at, outcome) ON device_commands TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON device_commands FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;

-- The rules of the elevation machine once more, so that no path around it exists.
CREATE FUNCTION guard_elevation_request() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.status <> OLD.status AND NOT (
    (OLD.status = 'pending' AND NEW.status IN ('approved', 'denied', 'expired')) OR
    (OLD.status IN ('approved', 'auto_approved') AND NEW.status IN ('actuating', 'revoked', 'expired')) OR
    (OLD.status = 'actuating' AND NEW.status IN ('revoked', 'expired'))) THEN
    RAISE EXCEPTION 'elevation % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'expired' AND OLD.status <> 'expired' AND OLD.expires_at > clock_timestamp() THEN
    RAISE EXCEPTION 'the time of elevation % is not over', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.expires_at IS DISTINCT FROM OLD.expires_at AND OLD.status <> 'pending' THEN
    RAISE EXCEPTION 'the time of elevation % never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.decided_at IS NOT NULL AND (NEW.decided_at, NEW.decision_source, NEW.approved_by, NEW.denied_by)
    IS DISTINCT FROM (OLD.decided_at, OLD.decision_source, OLD.approved_by, OLD.denied_by) THEN
    RAISE EXCEPTION 'elevation % is decided', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'approved' AND OLD.status <> 'approved' AND (NEW.approved_by IS NULL
    OR NEW.approved_by IN (NEW.subject_user_id, NEW.requester_id, NEW.requester_made_by)
    OR NEW.approved_by = ANY (NEW.possible_user_ids)) THEN
    RAISE EXCEPTION 'nobody approves their own elevation' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
    RAISE EXCEPTION 'elevation % has ended', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.actuation_outcome IS NOT NULL AND NEW.actuation_outcome IS DISTINCT FROM OLD.actuation_outcome THEN
    RAISE EXCEPTION 'the outcome of elevation % is known', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  -- Who is behind the name may become known later; who was known stays.
  IF OLD.subject_user_id IS NOT NULL AND NEW.subject_user_id IS DISTINCT FROM OLD.subject_user_id
    OR NOT NEW.possible_user_ids @> OLD.possible_user_ids THEN
    RAISE EXCEPTION 'who elevation % is for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.tenant_id, NEW.id, NEW.flow_type, NEW.device_id, NEW.site_id, NEW.subject_username, NEW.requester_id,
      NEW.requester_made_by, NEW.target_executable_path, NEW.target_executable_hash, NEW.target_executable_signer,
      NEW.parent_image, NEW.reason, NEW.requested_minutes, NEW.requested_at, NEW.rule_set_version, NEW.tool_name,
      NEW.risk_tier, NEW.action_digest, NEW.execution_expires_at)
    IS DISTINCT FROM
     (OLD.tenant_id, OLD.id, OLD.flow_type, OLD.device_id, OLD.site_id, OLD.subject_username, OLD.requester_id,
      OLD.requester_made_by, OLD.target_executable_path, OLD.target_executable_hash, OLD.target_executable_signer,
      OLD.parent_image, OLD.reason, OLD.requested_minutes, OLD.requested_at, OLD.rule_set_version, OLD.tool_name,
      OLD.risk_tier, OLD.action_digest, OLD.execution_expires_at) THEN
    RAISE EXCEPTION 'what elevation % asks for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_elevation_request BEFORE UPDATE ON elevation_requests
  FOR EACH ROW EXECUTE FUNCTION guard_elevation_request();

-- A request begins as what the evaluator answered: nobody is written down as its approver.
CREATE FUNCTION guard_new_elevation_request() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.status NOT IN ('pending', 'auto_approved', 'denied') OR NEW.decision_source = 'human'
    OR NEW.approved_by IS NOT NULL OR NEW.denied_by IS NOT NULL THEN
    RAISE EXCEPTION 'elevation % cannot begin as %', NEW.id, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_new_elevation_request BEFORE INSERT ON elevation_requests
  FOR EACH ROW EXECUTE FUNCTION guard_new_elevation_request();

CREATE FUNCTION guard_new_device_command() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM elevation_requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id
    AND device_id = NEW.device_id AND flow_type <> 'ai_tool_action'
    AND status = CASE NEW.type WHEN 'actuate_elevation' THEN 'actuating' ELSE 'revoked' END) THEN
    RAISE EXCEPTION 'a command needs the elevation of its device' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_new_device_command BEFORE INSERT ON device_commands
  FOR EACH ROW EXECUTE FUNCTION guard_new_device_command();

CREATE FUNCTION guard_device_command() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF (NEW.tenant_id, NEW.id, NEW.device_id, NEW.request_id, NEW.type, NEW.timeout_ms, NEW.queued_at)
    IS DISTINCT FROM (OLD.tenant_id, OLD.id, OLD.device_id, OLD.request_id, OLD.type, OLD.timeout_ms, OLD.queued_at)
    OR OLD.outcome IS NOT NULL OR OLD.first_delivered_at IS NOT NULL AND NEW.first_delivered_at IS DISTINCT FROM OLD.first_delivered_at THEN
    RAISE EXCEPTION 'command % never changes; its outcome is told once', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_device_command BEFORE UPDATE ON device_commands
  FOR EACH ROW EXECUTE FUNCTION guard_device_command();
