-- The keys of a tenant that was wound down are overwritten; their ids and the time stay, for the record of it.
ALTER TABLE keks
  ADD COLUMN destroyed_at timestamptz,
  ADD CONSTRAINT keks_destroyed CHECK ((state = 'destroyed') >= (destroyed_at IS NOT NULL)),
  ADD CONSTRAINT keks_overwritten CHECK (destroyed_at IS NULL OR octet_length(wrapped) = 0);
DO $$ BEGIN
  EXECUTE format('GRANT UPDATE (wrapped, destroyed_at) ON keks TO %I', current_setting('claviger.service_role'));
END $$;

CREATE FUNCTION keep_kek() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.destroyed_at IS NOT NULL THEN RAISE EXCEPTION 'a destroyed key stays destroyed'; END IF;
  IF NEW.wrapped <> OLD.wrapped AND NEW.destroyed_at IS NULL AND octet_length(NEW.wrapped) = 0
  THEN RAISE EXCEPTION 'a key is only emptied to destroy it'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER keep_kek BEFORE UPDATE ON keks FOR EACH ROW EXECUTE FUNCTION keep_kek();

-- A late call must not give a tenant on its way out a new key.
CREATE FUNCTION refuse_kek_of_leaving_tenant() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF EXISTS (SELECT FROM tenant_standings t WHERE t.tenant_id = NEW.tenant_id AND t.standing IN ('deprovisioning', 'deprovisioned'))
  THEN RAISE EXCEPTION 'the tenant is being wound down: it gets no new key'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER refuse_kek_of_leaving_tenant BEFORE INSERT ON keks
  FOR EACH ROW EXECUTE FUNCTION refuse_kek_of_leaving_tenant();
