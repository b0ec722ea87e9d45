CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' AND length(name) <= 63),
  display_name text NOT NULL DEFAULT '',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tenants IS 'tenantless: the directory of tenants, looked up by name before a tenant is known';

CREATE TABLE root_key_canary (
  one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  blob bytea NOT NULL
);
COMMENT ON TABLE root_key_canary IS 'tenantless: tells the right root key from a wrong one, for the whole schema';

DO $$ BEGIN
  -- UPDATE is for taking the row lock that makes "only while there is no user" safe, and for suspending.
  EXECUTE format('GRANT SELECT, INSERT, UPDATE (display_name, status) ON tenants TO %I', current_setting('claviger.service_role'));
  EXECUTE format('GRANT SELECT ON tenants TO %I', current_setting('claviger.system_role'));
  EXECUTE format('GRANT SELECT, INSERT ON root_key_canary TO %I', current_setting('claviger.system_role'));
END $$;

-- Key encryption keys, wrapped by the root key.
CREATE TABLE tenant_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  version int NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, version)
);
CALL tenant_table('tenant_keys', 'SELECT, INSERT');

CREATE TABLE users (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  username text NOT NULL,
  -- The form in which names are compared: no two users may look the same to the sign-in.
  canonical_login text NOT NULL,
  display_name text NOT NULL DEFAULT '',
  email text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('person', 'machine')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  -- Goes up when roles or standing change; part of the liveness value of each session.
  epoch bigint NOT NULL DEFAULT 1,
  last_login_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_login ON users (tenant_id, canonical_login) WHERE deleted_at IS NULL;
CREATE INDEX users_by_login ON users (tenant_id, canonical_login, id) WHERE deleted_at IS NULL;
CREATE INDEX users_by_created ON users (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX users_by_display_name ON users (tenant_id, display_name, id) WHERE deleted_at IS NULL;
CALL tenant_table('users', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION refuse_user_going_back() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.epoch < OLD.epoch THEN RAISE EXCEPTION 'the epoch of a user never goes back'; END IF;
  IF OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL THEN RAISE EXCEPTION 'a deleted user stays deleted'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER users_go_forward BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse_user_going_back();

CREATE TABLE roles (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  -- `*`, a permission, or its beginning with `.*`.
  permissions text[] NOT NULL,
  built_in boolean NOT NULL DEFAULT false,
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
CALL tenant_table('roles');

CREATE TABLE user_roles (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, user_id, role_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id)
);
CREATE INDEX user_roles_of_role ON user_roles (tenant_id, role_id);
CALL tenant_table('user_roles', 'SELECT, INSERT, DELETE');

CREATE TABLE credentials (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- PHC string of argon2id; the pepper is not in it.
  phc text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CALL tenant_table('credentials');

-- One factor per user; pending until a first code proved it.
CREATE TABLE mfa_factors (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  kek_id uuid NOT NULL,
  cek_id uuid NOT NULL,
  wrapped_cek bytea NOT NULL,
  iv bytea NOT NULL,
  ciphertext bytea NOT NULL,
  tag bytea NOT NULL,
  commitment bytea NOT NULL,
  blob_sha256 bytea NOT NULL,
  confirmed_at timestamptz,
  -- Number of the last 30-second step whose code was spent: a code works once.
  last_step bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, kek_id) REFERENCES tenant_keys (tenant_id, id)
);
CALL tenant_table('mfa_factors');

CREATE TABLE recovery_codes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  code_hash bytea NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, user_id, code_hash),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CALL tenant_table('recovery_codes');

CREATE TABLE sessions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('user', 'api-token')),
  -- Goes up when the session itself changes, e.g. proves its second factor.
  epoch bigint NOT NULL DEFAULT 0,
  mfa_pending boolean NOT NULL DEFAULT false,
  mfa_at timestamptz,
  amr text[] NOT NULL,
  authenticated_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_reason text,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CALL tenant_table('sessions', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION refuse_session_revival() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL THEN RAISE EXCEPTION 'a revoked session stays revoked'; END IF;
  IF NEW.epoch < OLD.epoch THEN RAISE EXCEPTION 'the epoch of a session never goes back'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER sessions_stay_revoked BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION refuse_session_revival();

CREATE TABLE refresh_tokens (
  tenant_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  session_id uuid NOT NULL,
  generation int NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz,
  PRIMARY KEY (tenant_id, token_hash),
  UNIQUE (tenant_id, session_id, generation),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id) ON DELETE CASCADE
);
CALL tenant_table('refresh_tokens', 'SELECT, INSERT, UPDATE');

CREATE TABLE api_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  session_id uuid NOT NULL,
  name text NOT NULL,
  prefix text NOT NULL,
  token_hash bytea NOT NULL,
  -- Empty: all that the user may do.
  permissions text[] NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL CHECK (expires_at <= created_at + interval '90 days'),
  last_used_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash),
  UNIQUE (tenant_id, session_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);
CREATE INDEX api_tokens_by_created ON api_tokens (tenant_id, created_at, id);
CREATE INDEX api_tokens_of_user ON api_tokens (tenant_id, user_id);
CALL tenant_table('api_tokens', 'SELECT, INSERT, UPDATE');

-- Password resets and set-up links: spent once, burnt after five wrong tries.
CREATE TABLE one_time_links (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('password-reset', 'setup')),
  -- Null for a set-up link: it makes the first user.
  user_id uuid,
  secret_hash bytea NOT NULL,
  failed_tries int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  -- Spent, replaced by a newer one, or burnt.
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  CHECK ((purpose = 'password-reset') = (user_id IS NOT NULL))
);
CREATE INDEX one_time_links_of_user ON one_time_links (tenant_id, user_id) WHERE ended_at IS NULL;
CALL tenant_table('one_time_links', 'SELECT, INSERT, UPDATE');

CREATE TABLE login_failures (
  tenant_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('password', 'mfa')),
  -- Id of the user, or the keyed hash of a name that nobody has.
  subject text NOT NULL,
  failures int NOT NULL,
  last_failed_at timestamptz NOT NULL,
  locked_until timestamptz,
  PRIMARY KEY (tenant_id, kind, subject)
);
CREATE INDEX login_failures_by_age ON login_failures (last_failed_at);
CALL tenant_table('login_failures');

-- Housekeeping removes what can no longer matter.
CALL system_reads('sessions');
CALL system_reads('login_failures');
CALL system_reads('one_time_links');
DO $$ DECLARE system_role text := current_setting('claviger.system_role');
BEGIN
  EXECUTE format('GRANT DELETE ON sessions, login_failures, one_time_links TO %I', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON sessions FOR DELETE TO %I USING (kind = ''user'' AND expires_at < now() - interval ''7 days'')', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON login_failures FOR DELETE TO %I USING (last_failed_at < now() - interval ''1 day'')', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON one_time_links FOR DELETE TO %I USING (expires_at < now() - interval ''7 days'')', system_role);
END $$;
