-- What this store knows of the standing of tenants. The truth is auth's; it is written here before a change is answered.
-- A tenant without a row is active.
CREATE TABLE tenant_standings (
  tenant_id uuid PRIMARY KEY,
  standing text NOT NULL CHECK (standing IN ('active', 'suspended', 'deprovisioning', 'deprovisioned')),
  -- Auth's count of changes: only goes up, so that a repeated or late message changes nothing.
  version bigint NOT NULL,
  -- What was queued or handed out before this moment is dead: the tenant was away in between.
  active_since timestamptz,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL tenant_table('tenant_standings', 'SELECT, INSERT, UPDATE');
CALL system_reads('tenant_standings');

CREATE FUNCTION keep_tenant_standing() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.version <= OLD.version THEN RAISE EXCEPTION 'the standing of a tenant never goes back'; END IF;
  IF OLD.standing = 'deprovisioned' THEN RAISE EXCEPTION 'a deprovisioned tenant stays deprovisioned'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER keep_tenant_standing BEFORE UPDATE ON tenant_standings FOR EACH ROW EXECUTE FUNCTION keep_tenant_standing();
