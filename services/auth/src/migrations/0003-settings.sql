-- What administrators set. A version is one change by one person; its values are the keys that it changed. Append-only: what
-- holds now is the last value of each key. Platform settings are values of the platform's own tenant.
CREATE TABLE config_versions (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  version int NOT NULL CHECK (version > 0),
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  reason text NOT NULL,
  keys text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, version)
);
CALL tenant_table('config_versions', 'SELECT, INSERT');

CREATE TABLE config_values (
  tenant_id uuid NOT NULL,
  version int NOT NULL,
  -- e.g. access.maximumGrantMinutes
  key text NOT NULL,
  id uuid NOT NULL,
  -- Secrets stand in it as ********. NULL: back to the default.
  value jsonb,
  -- The secrets by JSON pointer into the value, sealed as one; all NULL where there are none.
  kek_id uuid,
  cek_id uuid,
  wrapped_cek bytea,
  iv bytea,
  ciphertext bytea,
  tag bytea,
  commitment bytea,
  blob_sha256 bytea,
  PRIMARY KEY (tenant_id, key, version),
  FOREIGN KEY (tenant_id, version) REFERENCES config_versions (tenant_id, version),
  FOREIGN KEY (tenant_id, kek_id) REFERENCES tenant_keys (tenant_id, id),
  CHECK (num_nulls(kek_id, cek_id, wrapped_cek, iv, ciphertext, tag, commitment, blob_sha256) IN (0, 8))
);
CALL tenant_table('config_values', 'SELECT, INSERT');
DO $$ BEGIN
  -- Only for wrapping content keys anew when the tenant's key is exchanged.
  EXECUTE format('GRANT UPDATE (kek_id, wrapped_cek) ON config_values TO %I', current_setting('claviger.service_role'));
END $$;

-- Which replicas run: each tells at its start and every few seconds.
CREATE TABLE replicas (
  node text PRIMARY KEY,
  service text NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
COMMENT ON TABLE replicas IS 'tenantless: of the installation';

CREATE TABLE product_versions (
  version text PRIMARY KEY,
  first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE product_versions IS 'tenantless: of the installation';
DO $$ BEGIN
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON replicas TO %I', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT, INSERT ON product_versions TO %I', current_setting('claviger.system_role'));
END $$;

-- Licences as they were put in force; the last one holds. Of the platform's own tenant.
CREATE TABLE licences (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  version int NOT NULL CHECK (version > 0),
  token text NOT NULL,
  applied_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, version)
);
CALL tenant_table('licences', 'SELECT, INSERT');

-- How many people there are in all tenants; nothing else of them.
DO $$ BEGIN
  EXECUTE format('CREATE POLICY system_counts ON users FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT (tenant_id, id, kind, deleted_at) ON users TO %I', current_setting('claviger.system_role'));
END $$;
