-- Who uses a device: who was seen behind its prompts, or might have been meant, within 30 days.
CREATE TABLE device_users (
  tenant_id uuid NOT NULL,
  device_id uuid NOT NULL,
  user_id uuid NOT NULL,
  last_seen_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, device_id, user_id)
);
CREATE INDEX device_users_old ON device_users (last_seen_at);
CALL tenant_table('device_users');

-- Which observations a device has reported, and the request that came of each. Kept for longer than a report may be old.
CREATE TABLE device_reports (
  tenant_id uuid NOT NULL,
  device_id uuid NOT NULL,
  -- The id of the report, or a digest of the observation.
  report_key text NOT NULL CHECK (length(report_key) BETWEEN 1 AND 80),
  content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
  -- Null: a rule ignored the prompt.
  request_id uuid,
  kept_until timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, device_id, report_key),
  -- The report is claimed before its request is written.
  FOREIGN KEY (tenant_id, request_id) REFERENCES elevation_requests (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX device_reports_old ON device_reports (kept_until);
CREATE INDEX device_reports_request ON device_reports (tenant_id, request_id);
CALL tenant_table('device_reports');

-- The sweep finds the tenants with something to forget.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, last_seen_at) ON device_users TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON device_users FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT (tenant_id, kept_until) ON device_reports TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON device_reports FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;

-- What the last 30 days tell. The owner is held by row-level security like everybody else.
ALTER TABLE elevation_requests NO FORCE ROW LEVEL SECURITY;
ALTER TABLE device_users NO FORCE ROW LEVEL SECURITY;
INSERT INTO device_users (tenant_id, device_id, user_id, last_seen_at)
  SELECT r.tenant_id, r.device_id, p.user_id, max(r.requested_at)
  FROM elevation_requests r
  CROSS JOIN LATERAL (SELECT r.subject_user_id UNION SELECT unnest(r.possible_user_ids)) AS p(user_id)
  WHERE r.flow_type = 'uac_intercept' AND p.user_id IS NOT NULL AND r.requested_at > now() - interval '30 days'
  GROUP BY 1, 2, 3;
ALTER TABLE elevation_requests FORCE ROW LEVEL SECURITY;
ALTER TABLE device_users FORCE ROW LEVEL SECURITY;

-- Whether a person uses a device now: seen at it within 30 days, or its administrator at this moment.
CREATE FUNCTION uses_device(tenant uuid, device uuid, people uuid[]) RETURNS boolean LANGUAGE sql STABLE AS $f$
  SELECT EXISTS (SELECT FROM device_users WHERE tenant_id = tenant AND device_id = device AND user_id = ANY (people)
      AND last_seen_at > now() - interval '30 days')
    OR EXISTS (SELECT FROM elevation_requests WHERE tenant_id = tenant AND device_id = device AND flow_type = 'tech_jit_admin'
      AND status IN ('approved', 'auto_approved', 'actuating') AND expires_at > clock_timestamp()
      AND (subject_user_id = ANY (people) OR requester_id = ANY (people) OR requester_made_by = ANY (people)))
$f$;

CREATE FUNCTION guard_own_device() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.flow_type = 'uac_intercept' AND NEW.decision_source = 'human' AND OLD.decided_at IS NULL
    AND uses_device(NEW.tenant_id, NEW.device_id, array_remove(ARRAY[NEW.approved_by, NEW.denied_by], NULL)) THEN
    RAISE EXCEPTION 'nobody decides on prompts of a device they use' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_own_device BEFORE UPDATE ON elevation_requests FOR EACH ROW EXECUTE FUNCTION guard_own_device();
