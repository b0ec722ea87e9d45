-- Key encryption keys are exchanged: a new one is stored and tried, becomes the active one, takes over every content key of the
-- old, and only then is the old one retired.
ALTER TABLE keks DROP CONSTRAINT keks_state_check;
ALTER TABLE keks
  ADD CONSTRAINT keks_state_check CHECK (state IN ('pending', 'active', 'retiring', 'retired', 'destroyed')),
  ADD COLUMN activated_at timestamptz,
  ADD COLUMN retired_at timestamptz;
-- The owner is held by row-level security like everybody else: what is filled in here concerns all tenants.
ALTER TABLE keks NO FORCE ROW LEVEL SECURITY;
UPDATE keks SET activated_at = created_at WHERE state = 'active';
ALTER TABLE keks FORCE ROW LEVEL SECURITY;
CREATE INDEX entry_versions_of_kek ON entry_versions (tenant_id, kek_id);
DO $$ BEGIN
  EXECUTE format('GRANT UPDATE (state, activated_at, retired_at) ON keks TO %I', current_setting('claviger.service_role'));
  -- The duty that finds keys to be rotated looks across tenants.
  EXECUTE format('GRANT SELECT (tenant_id, id, state, activated_at) ON keks TO %I', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT (tenant_id, counted, scope, total) ON row_counts TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_counts_wraps ON row_counts FOR SELECT TO %I USING (counted = ''wraps'')', current_setting('claviger.system_role'));
END $$;

CREATE FUNCTION keks_go_forward() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.state <> OLD.state AND NOT (
    (OLD.state = 'pending' AND NEW.state IN ('active', 'retired')) OR (OLD.state = 'active' AND NEW.state = 'retiring')
    OR (OLD.state = 'retiring' AND NEW.state = 'retired') OR NEW.state = 'destroyed')
  THEN RAISE EXCEPTION 'a key encryption key does not go from % to %', OLD.state, NEW.state; END IF;
  IF NEW.state = 'retired' AND OLD.state <> 'retired'
    AND EXISTS (SELECT FROM entry_versions v WHERE v.tenant_id = NEW.tenant_id AND v.kek_id = NEW.id)
  THEN RAISE EXCEPTION 'a key encryption key that still wraps something cannot be retired'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER keks_go_forward BEFORE UPDATE ON keks FOR EACH ROW EXECUTE FUNCTION keks_go_forward();

-- A process that stood still may come back with a key that was retired meanwhile. The share lock makes retiring wait for
-- whoever is just storing something under it.
CREATE FUNCTION refuse_retired_kek() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM keks k WHERE k.tenant_id = NEW.tenant_id AND k.id = NEW.kek_id
    AND k.state IN ('active', 'retiring') FOR SHARE)
  -- As a serialization failure: whoever tries again finds the active key.
  THEN RAISE EXCEPTION 'the key encryption key is not in use any more' USING ERRCODE = 'serialization_failure'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER refuse_retired_kek BEFORE INSERT OR UPDATE OF kek_id ON entry_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_retired_kek();

-- How many content keys a key has ever wrapped: counted in shards, so that writers do not wait for one row.
CREATE FUNCTION count_wraps() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE r record;
BEGIN
  FOR r IN SELECT tenant_id, kek_id, count(*) AS change FROM new_rows GROUP BY tenant_id, kek_id
  LOOP PERFORM count_rows('wraps', r.tenant_id, r.kek_id, r.change); END LOOP;
  RETURN NULL;
END $f$;
CREATE TRIGGER count_wraps AFTER INSERT ON entry_versions REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_wraps();
ALTER TABLE entry_versions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE row_counts NO FORCE ROW LEVEL SECURITY;
INSERT INTO row_counts (tenant_id, counted, scope, shard, total)
  SELECT tenant_id, 'wraps', kek_id, 0, count(*) FROM entry_versions GROUP BY tenant_id, kek_id;
ALTER TABLE entry_versions FORCE ROW LEVEL SECURITY;
ALTER TABLE row_counts FORCE ROW LEVEL SECURITY;

-- One at a time for each tenant: exchanging the key, or looking whether every content key still opens.
CREATE TABLE key_jobs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('rotate-kek', 'repair')),
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
  trigger text NOT NULL CHECK (trigger IN ('requested', 'age', 'wraps')),
  reason text NOT NULL,
  requested_by text NOT NULL,
  requested_by_name text NOT NULL,
  total bigint NOT NULL DEFAULT 0,
  processed bigint NOT NULL DEFAULT 0,
  rewrapped bigint NOT NULL DEFAULT 0,
  unrecoverable bigint NOT NULL DEFAULT 0,
  old_kek_id uuid,
  new_kek_id uuid,
  -- How far a repair has come.
  cursor_entry_id uuid,
  cursor_version int,
  problem text NOT NULL DEFAULT '',
  lease_owner uuid,
  lease_until timestamptz,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL)),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, old_kek_id) REFERENCES keks (tenant_id, id),
  FOREIGN KEY (tenant_id, new_kek_id) REFERENCES keks (tenant_id, id)
);
CREATE UNIQUE INDEX key_jobs_open ON key_jobs (tenant_id) WHERE finished_at IS NULL;
CREATE INDEX key_jobs_due ON key_jobs (next_attempt_at) WHERE finished_at IS NULL;
CREATE INDEX key_jobs_by_created ON key_jobs (tenant_id, created_at, id);
CALL tenant_table('key_jobs', 'SELECT, INSERT, UPDATE');
CREATE TRIGGER keep_finished BEFORE UPDATE ON key_jobs FOR EACH ROW EXECUTE FUNCTION keep_finished();
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, next_attempt_at, lease_until, finished_at) ON key_jobs TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_finds_due ON key_jobs FOR SELECT TO %I USING (finished_at IS NULL)', current_setting('claviger.system_role'));
END $$;

-- Versions of secrets that a job put right, or could not.
CREATE TABLE key_findings (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  version int NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('repaired', 'unrecoverable')),
  problem text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, job_id, entry_id, version),
  FOREIGN KEY (tenant_id, job_id) REFERENCES key_jobs (tenant_id, id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id)
);
CALL tenant_table('key_findings', 'SELECT, INSERT');
