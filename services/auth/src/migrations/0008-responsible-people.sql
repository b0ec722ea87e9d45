-- A machine identity has a responsible person, and never more rights than that person has. Null: nobody; it is suspended.
ALTER TABLE users
  ADD COLUMN responsible_id uuid,
  ADD CONSTRAINT users_responsible FOREIGN KEY (tenant_id, responsible_id) REFERENCES users (tenant_id, id),
  ADD CONSTRAINT users_machines_alone CHECK (kind = 'machine' OR responsible_id IS NULL);
CREATE INDEX users_of_responsible ON users (tenant_id, responsible_id) WHERE responsible_id IS NOT NULL;

-- Who set the password in force for somebody else, until that person chooses one. Null: the person chose it.
ALTER TABLE credentials ADD COLUMN set_by uuid;

-- The owner is subject to row-level security like everybody else.
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;
ALTER TABLE api_tokens NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY;
-- Existing machines: who made the newest token that works, else the newest token.
UPDATE users u SET responsible_id = (
  SELECT t.created_by FROM api_tokens t
  JOIN users p ON p.tenant_id = t.tenant_id AND p.id = t.created_by AND p.kind = 'person'
  WHERE t.tenant_id = u.tenant_id AND t.user_id = u.id
  ORDER BY (t.revoked_at IS NULL AND t.expires_at > now() AND p.status = 'active' AND p.deleted_at IS NULL) DESC,
    t.created_at DESC, t.id LIMIT 1)
  WHERE u.kind = 'machine';
-- Whoever made a token knows it: only those of the responsible person stay.
UPDATE sessions s SET revoked_at = now(), revoked_reason = 'responsible-person-changed'
  FROM api_tokens t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
  WHERE s.tenant_id = t.tenant_id AND s.id = t.session_id AND u.kind = 'machine' AND s.revoked_at IS NULL
    AND t.created_by IS DISTINCT FROM u.responsible_id;
UPDATE api_tokens t SET revoked_at = now() FROM users u
  WHERE u.tenant_id = t.tenant_id AND u.id = t.user_id AND u.kind = 'machine' AND t.revoked_at IS NULL
    AND t.created_by IS DISTINCT FROM u.responsible_id;
-- Gateways ask again about every machine.
UPDATE users SET epoch = epoch + 1 WHERE kind = 'machine';
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE api_tokens FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;

CREATE FUNCTION guard_responsible_person() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.responsible_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE tenant_id = NEW.tenant_id
    AND id = NEW.responsible_id AND kind = 'person') THEN
    RAISE EXCEPTION 'a person is responsible for a machine' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER users_responsible_is_a_person BEFORE INSERT OR UPDATE OF responsible_id ON users
  FOR EACH ROW EXECUTE FUNCTION guard_responsible_person();

CREATE FUNCTION guard_new_api_token() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM users WHERE tenant_id = NEW.tenant_id AND id = NEW.user_id
    AND NEW.created_by = CASE kind WHEN 'machine' THEN responsible_id ELSE id END) THEN
    RAISE EXCEPTION 'only its user, or the person responsible for its machine, makes a token' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER api_tokens_of_the_responsible BEFORE INSERT ON api_tokens
  FOR EACH ROW EXECUTE FUNCTION guard_new_api_token();
