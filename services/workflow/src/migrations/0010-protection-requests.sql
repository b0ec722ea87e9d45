-- A change that lowers the protection of an entry is a request of its own, decided by the approvers of the policy that governs it.
ALTER TABLE requests DROP CONSTRAINT requests_kind_check;
ALTER TABLE requests ADD CONSTRAINT requests_kind_check CHECK (kind IN ('access', 'protection'));
-- {before: {requiresGrant, requiresReason}, after: …}, and the digest by which the vault knows this change of this state.
ALTER TABLE requests ADD COLUMN change jsonb;
ALTER TABLE requests ADD COLUMN change_digest text CHECK (change_digest ~ '^[0-9a-f]{64}$');
ALTER TABLE requests ADD CONSTRAINT requests_change_check
  CHECK ((kind = 'protection') = (change IS NOT NULL) AND (kind = 'protection') = (change_digest IS NOT NULL));
CREATE INDEX requests_of_change ON requests (tenant_id, entry_id, change_digest) WHERE kind = 'protection';

CREATE FUNCTION guard_change() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF (NEW.change, NEW.change_digest) IS DISTINCT FROM (OLD.change, OLD.change_digest) THEN
    RAISE EXCEPTION 'what request % asks for never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER guard_change BEFORE UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION guard_change();

-- Only a request for access becomes a grant.
CREATE OR REPLACE FUNCTION guard_new_grant() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM requests WHERE tenant_id = NEW.tenant_id AND id = NEW.request_id AND kind = 'access'
                 AND status = 'approved' AND requester_id = NEW.user_id AND entry_id = NEW.entry_id) THEN
    RAISE EXCEPTION 'a grant needs the approved request of its user' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
