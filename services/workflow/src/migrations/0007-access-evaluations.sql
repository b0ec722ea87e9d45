-- The policies of resources become part of the versioned rule set: one version that brings them all, in the words of the evaluator.
-- The owner is held by row-level security like everybody else.
ALTER TABLE access_policies NO FORCE ROW LEVEL SECURITY;
ALTER TABLE rule_set_heads NO FORCE ROW LEVEL SECURITY;
ALTER TABLE rule_revisions NO FORCE ROW LEVEL SECURITY;
INSERT INTO rule_set_heads AS h (tenant_id, version) SELECT DISTINCT tenant_id, 1 FROM access_policies
  ON CONFLICT (tenant_id) DO UPDATE SET version = h.version + 1, changed_at = now();
INSERT INTO rule_revisions (tenant_id, kind, object_id, from_version, body, row_version, created_at, changed_at)
  SELECT p.tenant_id, 'access', p.resource_id::text, h.version, jsonb_build_object(
    'id', 'access-policy:' || p.resource_id,
    'name', 'access policy of ' || p.resource_id,
    'verdict', 'require_approval',
    'priority', 100,
    'matchResourceId', p.resource_id,
    'access', jsonb_build_object(
      'steps', (
        -- A name of characters that nobody can see is none that the evaluator takes.
        SELECT jsonb_agg(CASE
          WHEN s.step ->> 'name' ~ '[^[:print:]]|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]'
            OR trim(s.step ->> 'name') = ''
          THEN s.step || jsonb_build_object('name', 'step ' || s.place) ELSE s.step END ORDER BY s.place)
        FROM jsonb_array_elements(p.steps) WITH ORDINALITY AS s(step, place)),
      'maxDurationMinutes', p.max_duration_minutes,
      'oneTime', p.one_time,
      'rotateOnEnd', p.rotate_on_end,
      'requestTtlMinutes', p.request_ttl_minutes,
      'requiresReason', true),
    'authorIds', jsonb_build_array(p.updated_by)),
    p.row_version, p.updated_at, p.updated_at
  FROM access_policies p JOIN rule_set_heads h ON h.tenant_id = p.tenant_id;
ALTER TABLE access_policies FORCE ROW LEVEL SECURITY;
ALTER TABLE rule_set_heads FORCE ROW LEVEL SECURITY;
ALTER TABLE rule_revisions FORCE ROW LEVEL SECURITY;

-- Who made the machine that asked or decided: what it does counts as theirs.
ALTER TABLE requests ADD COLUMN requester_made_by uuid;
ALTER TABLE decisions ADD COLUMN user_made_by uuid;

CREATE OR REPLACE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE request requests;
BEGIN
  SELECT * INTO request FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id;
  IF NEW.user_id IN (request.requester_id, request.requester_made_by)
    OR NEW.user_made_by IN (request.requester_id, request.requester_made_by) THEN
    RAISE EXCEPTION 'nobody decides on their own request' USING ERRCODE = 'check_violation';
  END IF;
  IF request.status <> 'pending' OR request.open_step <> NEW.step THEN
    RAISE EXCEPTION 'request % does not wait for this decision', NEW.request_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;

CREATE FUNCTION guard_requester() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.requester_made_by IS DISTINCT FROM OLD.requester_made_by THEN
    RAISE EXCEPTION 'who asks in request % never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_requester BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION guard_requester();
