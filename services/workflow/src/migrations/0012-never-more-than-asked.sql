-- An approval never gives more than was asked. The rule is src/asked/beyond-asked.ts; here it holds for every path that writes.
CREATE FUNCTION guard_new_grant_extent() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE asked requests;
BEGIN
  SELECT * INTO asked FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id;
  IF asked.kind IS DISTINCT FROM 'access' OR NEW.entry_id IS DISTINCT FROM asked.entry_id
    OR NEW.resource_id IS DISTINCT FROM asked.resource_id OR NEW.user_id IS DISTINCT FROM asked.requester_id
    OR (asked.one_time AND NOT NEW.one_time) OR (asked.rotate_on_end AND NOT NEW.rotate_on_end)
    OR NEW.starts_at < asked.created_at
    OR NEW.expires_at > NEW.starts_at
      + make_interval(mins => coalesce(asked.approved_duration_minutes, asked.duration_minutes)) THEN
    RAISE EXCEPTION 'grant % gives more than request % asks for', NEW.id, NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_new_grant_extent BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION guard_new_grant_extent();

-- Later approvers may shorten what earlier ones have approved, and never lengthen it.
CREATE FUNCTION guard_request_extent() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.approved_duration_minutes > OLD.approved_duration_minutes
    OR (OLD.approved_duration_minutes IS NOT NULL AND NEW.approved_duration_minutes IS NULL) THEN
    RAISE EXCEPTION 'an approval of request % never lengthens it', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_request_extent BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION guard_request_extent();

CREATE FUNCTION guard_decision_extent() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF EXISTS (SELECT FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id
    AND duration_minutes < NEW.duration_minutes) THEN
    RAISE EXCEPTION 'a decision gives more than request % asks for', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_decision_extent BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION guard_decision_extent();

-- A technician asks for minutes, a tool for as long as it waits. A prompt names no time: its approver sets one, a day at most.
CREATE FUNCTION guard_elevation_request_extent() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF TG_OP = 'UPDATE' AND (NEW.device_hostname, NEW.pid, NEW.command_line_sha256, NEW.command_line_length, NEW.observed_at)
    IS DISTINCT FROM (OLD.device_hostname, OLD.pid, OLD.command_line_sha256, OLD.command_line_length, OLD.observed_at) THEN
    RAISE EXCEPTION 'what elevation % asks for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status IN ('approved', 'auto_approved') AND (TG_OP = 'INSERT' OR OLD.status <> NEW.status)
    AND (NEW.expires_at > clock_timestamp() + make_interval(mins => coalesce(NEW.requested_minutes, 1440))
      OR NEW.expires_at > NEW.execution_expires_at) THEN
    RAISE EXCEPTION 'elevation % is approved for longer than was asked', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_elevation_request_extent BEFORE INSERT OR UPDATE ON elevation_requests
  FOR EACH ROW EXECUTE FUNCTION guard_elevation_request_extent();
