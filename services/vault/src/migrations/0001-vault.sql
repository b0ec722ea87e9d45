-- Proves at every start that the root key is the one this database was set up with.
CREATE TABLE root_key_canary (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  blob bytea NOT NULL,
  provider_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE root_key_canary IS 'tenantless: one root key wraps the key encryption keys of all tenants';
DO $$ BEGIN
  EXECUTE format('GRANT SELECT, INSERT ON root_key_canary TO %I', current_setting('claviger.system_role'));
END $$;

-- Key encryption keys, wrapped by the root key.
CREATE TABLE keks (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  wrapped bytea NOT NULL,
  provider_id text NOT NULL,
  -- Only the active one seals; a retired one still opens.
  state text NOT NULL CHECK (state IN ('active', 'retired')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, version)
);
CREATE UNIQUE INDEX keks_active ON keks (tenant_id) WHERE state = 'active';
CALL tenant_table('keks', 'SELECT, INSERT');
-- The start must be able to tell an empty database from one whose canary is gone.
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id) ON keks TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_counts ON keks FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;

-- Totals of unfiltered lists, kept by triggers. Several shards a counter, so that writers do not wait for one row.
CREATE TABLE row_counts (
  tenant_id uuid NOT NULL,
  counted text NOT NULL,
  -- What the rows belong to, e.g. an asset; zeros for the whole tenant.
  scope uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  shard smallint NOT NULL,
  total bigint NOT NULL,
  PRIMARY KEY (tenant_id, counted, scope, shard)
);
CALL tenant_table('row_counts', 'SELECT, INSERT, UPDATE');

-- Connectors with their configuration. No secrets.
CREATE TABLE modules (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  config jsonb NOT NULL,
  status text NOT NULL DEFAULT 'untested' CHECK (status IN ('untested', 'ok', 'failing')),
  status_problem text NOT NULL DEFAULT '',
  tested_at timestamptz,
  row_version int NOT NULL DEFAULT 1,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX modules_name ON modules (tenant_id, lower(name));
CALL tenant_table('modules');

-- One row for whatever accounts, hosts or endpoints belong to; facets of later kinds are tables keyed by (tenant_id, asset_id).
CREATE TABLE assets (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  type text NOT NULL,
  module_id uuid,
  host text NOT NULL DEFAULT '',
  port int NOT NULL DEFAULT 0 CHECK (port BETWEEN 0 AND 65535),
  description text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  tags text[] NOT NULL DEFAULT '{}',
  settings jsonb NOT NULL DEFAULT '{}',
  admin_entry_id uuid,
  row_version int NOT NULL DEFAULT 1,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, module_id) REFERENCES modules (tenant_id, id)
);
CREATE UNIQUE INDEX assets_unique_name ON assets (tenant_id, lower(name));
CREATE INDEX assets_by_name ON assets (tenant_id, name, id);
CREATE INDEX assets_by_type ON assets (tenant_id, type, id);
CREATE INDEX assets_by_created ON assets (tenant_id, created_at, id);
CREATE INDEX assets_by_updated ON assets (tenant_id, updated_at, id);
CREATE INDEX assets_of_module ON assets (tenant_id, module_id);
CREATE INDEX assets_of_admin ON assets (tenant_id, admin_entry_id) WHERE admin_entry_id IS NOT NULL;
CALL tenant_table('assets');

-- Secrets with their versions. A password entry of an asset is an account.
CREATE TABLE entries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  asset_id uuid,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('password', 'ssh-key', 'api-key', 'note')),
  username text NOT NULL DEFAULT '',
  description text NOT NULL DEFAULT '',
  tags text[] NOT NULL DEFAULT '{}',
  current_version int NOT NULL,
  rotation_state text NOT NULL DEFAULT 'idle'
    CHECK (rotation_state IN ('idle', 'pending', 'applying', 'ambiguous', 'out_of_sync')),
  rotation_interval_hours int NOT NULL DEFAULT 0 CHECK (rotation_interval_hours >= 0),
  -- Due-queue of scheduled rotations.
  next_rotation_at timestamptz,
  last_rotated_at timestamptz,
  last_verified_at timestamptz,
  -- Logins with this account that the target may have counted as failed, since probe_window_at.
  probes int NOT NULL DEFAULT 0,
  probe_window_at timestamptz,
  requires_grant boolean NOT NULL DEFAULT false,
  requires_reason boolean NOT NULL DEFAULT false,
  -- Deleted entries keep their sealed versions until they are purged.
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleted')),
  deleted_at timestamptz,
  row_version int NOT NULL DEFAULT 1,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id)
);
CREATE UNIQUE INDEX entries_unique_name
  ON entries (tenant_id, coalesce(asset_id, '00000000-0000-0000-0000-000000000000'), lower(name)) WHERE status = 'active';
CREATE INDEX entries_by_name ON entries (tenant_id, name, id) WHERE status = 'active';
CREATE INDEX entries_by_username ON entries (tenant_id, username, id) WHERE status = 'active';
CREATE INDEX entries_by_created ON entries (tenant_id, created_at, id) WHERE status = 'active';
CREATE INDEX entries_by_updated ON entries (tenant_id, updated_at, id) WHERE status = 'active';
CREATE INDEX entries_of_asset ON entries (tenant_id, asset_id, name, id) WHERE status = 'active';
CREATE INDEX entries_due ON entries (next_rotation_at)
  WHERE next_rotation_at IS NOT NULL AND status = 'active' AND rotation_state = 'idle';
CALL tenant_table('entries', 'SELECT, INSERT, UPDATE');
ALTER TABLE assets ADD FOREIGN KEY (tenant_id, admin_entry_id) REFERENCES entries (tenant_id, id);
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, status, rotation_state, next_rotation_at) ON entries TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_finds_due ON entries FOR SELECT TO %I USING (next_rotation_at IS NOT NULL)', current_setting('claviger.system_role'));
END $$;

-- Sealed secrets. What was sealed never changes; only its state does, and its key may be wrapped anew.
CREATE TABLE entry_versions (
  tenant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('pending', 'current', 'previous', 'rejected')),
  purpose text NOT NULL,
  kek_id uuid NOT NULL,
  cek_id uuid NOT NULL,
  wrapped_cek bytea NOT NULL,
  iv bytea NOT NULL,
  ciphertext bytea NOT NULL,
  tag bytea NOT NULL,
  commitment bytea NOT NULL,
  blob_sha256 bytea NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  state_changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, entry_id, version),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id),
  FOREIGN KEY (tenant_id, kek_id) REFERENCES keks (tenant_id, id)
);
CREATE UNIQUE INDEX entry_versions_current ON entry_versions (tenant_id, entry_id) WHERE state = 'current';
CALL tenant_table('entry_versions', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
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
CREATE TRIGGER keep_sealed BEFORE UPDATE ON entry_versions FOR EACH ROW EXECUTE FUNCTION keep_sealed();

-- Standing permission of a user on an entry. Shares of groups get a table of their own beside this one.
CREATE TABLE shares (
  tenant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  user_id uuid NOT NULL,
  access text NOT NULL CHECK (access IN ('view', 'modify', 'manage')),
  granted_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, entry_id, user_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id)
);
CALL tenant_table('shares');

-- What a grant allows, decided here at the moment of disclosure.
CREATE TABLE entitlements (
  tenant_id uuid NOT NULL,
  grant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  user_id uuid NOT NULL,
  expires_at timestamptz NOT NULL,
  one_time boolean NOT NULL,
  rotate_on_end boolean NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz,
  delivery_count int NOT NULL DEFAULT 0,
  removed_at timestamptz,
  removal_cause text,
  PRIMARY KEY (tenant_id, grant_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id),
  CHECK (NOT one_time OR delivery_count <= 1),
  CHECK ((delivery_count > 0) = (delivered_at IS NOT NULL))
);
CREATE INDEX entitlements_of_user ON entitlements (tenant_id, entry_id, user_id) WHERE removed_at IS NULL;
CALL tenant_table('entitlements', 'SELECT, INSERT, UPDATE');

-- Who has seen which version: the exposure ledger. Seen again within a minute counts once; the audit log holds every time.
CREATE TABLE exposures (
  tenant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  version int NOT NULL,
  user_id uuid NOT NULL,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  -- The latest grant it was seen under.
  grant_id uuid,
  times int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, entry_id, version, user_id),
  FOREIGN KEY (tenant_id, entry_id, version) REFERENCES entry_versions (tenant_id, entry_id, version)
);
CREATE INDEX exposures_of_grant ON exposures (tenant_id, grant_id) WHERE grant_id IS NOT NULL;
CALL tenant_table('exposures', 'SELECT, INSERT, UPDATE');

-- Rotations, and the due-queue of those that are not over.
CREATE TABLE rotations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  entry_id uuid NOT NULL,
  -- The candidate.
  version int NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'applying', 'verified', 'refused', 'ambiguous', 'out_of_sync')),
  trigger text NOT NULL CHECK (trigger IN ('manual', 'schedule', 'grant-ended')),
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  attempts int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz DEFAULT now(),
  -- Who works on it, by the database's clock. An expired lease is taken over.
  lease_owner uuid,
  lease_until timestamptz,
  -- When the target was last about to be changed.
  applied_at timestamptz,
  problem text NOT NULL DEFAULT '',
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, entry_id, version) REFERENCES entry_versions (tenant_id, entry_id, version),
  CHECK ((finished_at IS NULL) = (state IN ('pending', 'applying', 'ambiguous'))),
  CHECK ((next_attempt_at IS NULL) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX rotations_open ON rotations (tenant_id, entry_id) WHERE finished_at IS NULL;
CREATE INDEX rotations_due ON rotations (next_attempt_at) WHERE finished_at IS NULL;
CREATE INDEX rotations_of_entry ON rotations (tenant_id, entry_id, requested_at, id);
CALL tenant_table('rotations', 'SELECT, INSERT, UPDATE');
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, id, next_attempt_at, lease_until, finished_at) ON rotations TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_finds_due ON rotations FOR SELECT TO %I USING (finished_at IS NULL)', current_setting('claviger.system_role'));
END $$;

-- A rotation that is over stays as it ended.
CREATE FUNCTION keep_finished() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.finished_at IS NOT NULL THEN RAISE EXCEPTION 'the rotation is over'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER keep_finished BEFORE UPDATE ON rotations FOR EACH ROW EXECUTE FUNCTION keep_finished();

CREATE FUNCTION count_rows(what text, tenant uuid, of uuid, change bigint) RETURNS void LANGUAGE sql AS $f$
  INSERT INTO row_counts AS c (tenant_id, counted, scope, shard, total)
  VALUES (tenant, what, of, (random() * 7)::int, change)
  ON CONFLICT (tenant_id, counted, scope, shard) DO UPDATE SET total = c.total + excluded.total
$f$;

CREATE FUNCTION count_entries() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE r record;
BEGIN
  IF TG_OP = 'INSERT' THEN
    FOR r IN SELECT tenant_id, asset_id, count(*) AS change FROM new_rows WHERE status = 'active'
      GROUP BY GROUPING SETS ((tenant_id), (tenant_id, asset_id)) HAVING GROUPING(asset_id) = 1 OR asset_id IS NOT NULL
    LOOP PERFORM count_rows('entries', r.tenant_id, coalesce(r.asset_id, '00000000-0000-0000-0000-000000000000'), r.change); END LOOP;
  ELSE
    FOR r IN SELECT n.tenant_id, n.asset_id, sum((n.status = 'active')::int - (o.status = 'active')::int) AS change
      FROM new_rows n JOIN old_rows o USING (tenant_id, id) WHERE n.status <> o.status
      GROUP BY GROUPING SETS ((n.tenant_id), (n.tenant_id, n.asset_id)) HAVING GROUPING(n.asset_id) = 1 OR n.asset_id IS NOT NULL
    LOOP PERFORM count_rows('entries', r.tenant_id, coalesce(r.asset_id, '00000000-0000-0000-0000-000000000000'), r.change); END LOOP;
  END IF;
  RETURN NULL;
END $f$;
CREATE TRIGGER count_inserted AFTER INSERT ON entries REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_entries();
CREATE TRIGGER count_updated AFTER UPDATE ON entries REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_entries();

CREATE FUNCTION count_assets() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE r record;
BEGIN
  FOR r IN SELECT tenant_id, count(*) AS change FROM changed_rows GROUP BY tenant_id
  LOOP
    PERFORM count_rows('assets', r.tenant_id, '00000000-0000-0000-0000-000000000000', CASE TG_OP WHEN 'INSERT' THEN r.change ELSE -r.change END);
  END LOOP;
  RETURN NULL;
END $f$;
CREATE TRIGGER count_inserted AFTER INSERT ON assets REFERENCING NEW TABLE AS changed_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
CREATE TRIGGER count_deleted AFTER DELETE ON assets REFERENCING OLD TABLE AS changed_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_assets();
