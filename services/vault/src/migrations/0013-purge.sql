-- A deleted entry is purged after its retention: the wrapped keys and the encrypted secrets are removed. The rows stay, for
-- the exposure ledger and for the hash that the audit log names.
ALTER TABLE entries ADD COLUMN purged_at timestamptz;
ALTER TABLE entries ADD CHECK (purged_at IS NULL OR status = 'deleted');
CREATE INDEX entries_purgeable ON entries (deleted_at, id) WHERE status = 'deleted' AND purged_at IS NULL;
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (deleted_at, purged_at) ON entries TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_finds_purgeable ON entries FOR SELECT TO %I USING (status = ''deleted'' AND purged_at IS NULL)', current_setting('claviger.system_role'));
END $$;

ALTER TABLE entry_versions ADD COLUMN purged_at timestamptz;
ALTER TABLE entry_versions ALTER COLUMN kek_id DROP NOT NULL;
ALTER TABLE entry_versions ADD CHECK ((purged_at IS NULL) = (kek_id IS NOT NULL));
ALTER TABLE entry_versions ADD CHECK (purged_at IS NULL
  OR length(wrapped_cek) + length(iv) + length(ciphertext) + length(tag) + length(commitment) = 0);

CREATE OR REPLACE FUNCTION keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.purged_at IS NOT NULL THEN RAISE EXCEPTION 'a purged version never changes'; END IF;
  IF NEW.purged_at IS NOT NULL THEN
    IF NOT EXISTS (SELECT FROM entries e WHERE e.tenant_id = NEW.tenant_id AND e.id = NEW.entry_id AND e.status = 'deleted')
    THEN RAISE EXCEPTION 'only versions of a deleted entry are purged'; END IF;
    IF (NEW.tenant_id, NEW.entry_id, NEW.version, NEW.state, NEW.purpose, NEW.cek_id, NEW.blob_sha256)
      IS DISTINCT FROM (OLD.tenant_id, OLD.entry_id, OLD.version, OLD.state, OLD.purpose, OLD.cek_id, OLD.blob_sha256)
    THEN RAISE EXCEPTION 'a purge removes secrets and nothing else'; END IF;
    RETURN NEW;
  END IF;
  IF (NEW.tenant_id, NEW.entry_id, NEW.version, NEW.purpose, NEW.cek_id, NEW.iv, NEW.ciphertext, NEW.tag, NEW.commitment, NEW.blob_sha256)
    IS DISTINCT FROM
    (OLD.tenant_id, OLD.entry_id, OLD.version, OLD.purpose, OLD.cek_id, OLD.iv, OLD.ciphertext, OLD.tag, OLD.commitment, OLD.blob_sha256)
  THEN RAISE EXCEPTION 'a sealed secret never changes'; END IF;
  IF NEW.state <> OLD.state THEN
    IF NOT ((OLD.state = 'pending' AND NEW.state IN ('current', 'rejected')) OR (OLD.state = 'current' AND NEW.state = 'previous'))
    THEN RAISE EXCEPTION 'a version does not go from % to %', OLD.state, NEW.state; END IF;
    NEW.state_changed_at := now();
  END IF;
  RETURN NEW;
END $f$;

-- A version that is purged is under no key.
CREATE OR REPLACE FUNCTION refuse_retired_kek() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.kek_id IS NULL THEN RETURN NEW; END IF;
  IF NOT EXISTS (SELECT FROM keks k WHERE k.tenant_id = NEW.tenant_id AND k.id = NEW.kek_id
    AND k.state IN ('active', 'retiring') FOR SHARE)
  -- As a serialization failure: whoever tries again finds the active key.
  THEN RAISE EXCEPTION 'the key encryption key is not in use any more' USING ERRCODE = 'serialization_failure'; END IF;
  RETURN NEW;
END $f$;
