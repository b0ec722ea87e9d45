-- Everybody who counts as the one who asks, decides or opens emergency access: who is responsible for a machine, and who set a
-- password that its person has not changed.
ALTER TABLE requests ADD COLUMN requester_behind uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN user_behind uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE breakglass_sessions
  ADD COLUMN user_behind uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN confirmed_behind uuid[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT breakglass_confirmed_by_others CHECK (confirmed_by IS NULL
    OR NOT (user_behind || user_id) && (confirmed_behind || confirmed_by));

-- The owner is held by row-level security like everybody else, and what was settled is not changed otherwise.
ALTER TABLE requests NO FORCE ROW LEVEL SECURITY;
ALTER TABLE decisions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE requests DISABLE TRIGGER USER;
UPDATE requests SET requester_behind = ARRAY[requester_made_by] WHERE requester_made_by IS NOT NULL;
UPDATE decisions SET user_behind = ARRAY[user_made_by] WHERE user_made_by IS NOT NULL;
ALTER TABLE requests ENABLE TRIGGER USER;
ALTER TABLE requests FORCE ROW LEVEL SECURITY;
ALTER TABLE decisions FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION guard_requester() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
  IF NEW.requester_behind IS DISTINCT FROM OLD.requester_behind THEN
    RAISE EXCEPTION 'who asks in request % never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;

-- A function of its own: other migrations may replace guard_decision.
CREATE FUNCTION guard_decider() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE people uuid[] := NEW.user_behind || NEW.user_id;
BEGIN
  IF EXISTS (SELECT FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id
    AND (requester_behind || requester_id) && people) THEN
    RAISE EXCEPTION 'nobody decides on their own request' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT FROM decisions WHERE tenant_id = NEW.tenant_id AND request_id = NEW.request_id
    AND (user_behind || user_id) && people) THEN
    RAISE EXCEPTION 'a person counts once in request %', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_decider BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION guard_decider();

CREATE OR REPLACE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id
    AND status = 'pending' AND open_step = NEW.step) THEN
    RAISE EXCEPTION 'request % does not wait for this decision', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
ALTER TABLE requests DROP COLUMN requester_made_by;
ALTER TABLE decisions DROP COLUMN user_made_by;

-- What auth has told of accounts. One that nobody spoke of is active.
CREATE TABLE account_standings (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  version bigint NOT NULL,
  active boolean NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, user_id)
);
CALL tenant_table('account_standings', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION account_lock_key(account uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $f$
  SELECT hashtextextended('account ' || account::text, 0)
$f$;
-- active | ended | changing. Its end waits for transactions that were told `active`; who asks during the change does not wait.
CREATE FUNCTION account_state(tenant uuid, account uuid) RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
  IF NOT pg_try_advisory_xact_lock_shared(account_lock_key(account)) THEN RETURN 'changing'; END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM account_standings WHERE tenant_id = tenant AND user_id = account AND NOT active)
    THEN 'ended' ELSE 'active' END;
END $f$;
-- The argument is the column that names the account.
CREATE FUNCTION guard_living_account() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE account uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  IF account IS NOT NULL AND account_state(NEW.tenant_id, account) <> 'active' THEN
    RAISE EXCEPTION 'account % has ended', account USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_living_account BEFORE INSERT ON requests
  FOR EACH ROW EXECUTE FUNCTION guard_living_account('requester_id');
CREATE TRIGGER guard_living_account BEFORE INSERT ON grants
  FOR EACH ROW EXECUTE FUNCTION guard_living_account('user_id');
CREATE TRIGGER guard_living_account BEFORE INSERT ON elevation_requests
  FOR EACH ROW EXECUTE FUNCTION guard_living_account('requester_id');
CREATE TRIGGER guard_living_account BEFORE INSERT ON breakglass_sessions
  FOR EACH ROW EXECUTE FUNCTION guard_living_account('user_id');
CREATE INDEX requests_of_account ON requests (tenant_id, requester_id) WHERE status = 'pending';
CREATE INDEX grants_of_account ON grants (tenant_id, user_id) WHERE status IN ('activating', 'active') OR sync_wanted IS NOT NULL;
