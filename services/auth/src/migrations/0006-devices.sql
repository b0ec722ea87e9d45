-- Places of an organisation: devices stand in one, and people may be kept to some.
CREATE TABLE sites (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id)
);
-- No constraint: a new name must not wait for those who place a device in the site.
CREATE UNIQUE INDEX sites_name ON sites (tenant_id, lower(name));
CREATE INDEX sites_by_created ON sites (tenant_id, created_at, id);
CALL tenant_table('sites');

-- The endpoint facet of an asset: the id is the asset's.
CREATE TABLE devices (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  hostname text NOT NULL,
  site_id uuid,
  os text NOT NULL DEFAULT '' CHECK (os IN ('', 'windows', 'linux', 'macos')),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'decommissioned')),
  linked_to_resource boolean NOT NULL DEFAULT false,
  -- Goes up when what agents claim changes; part of the liveness value of each token of the device.
  epoch bigint NOT NULL DEFAULT 1,
  last_seen_at timestamptz,
  enrolled_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  decommissioned_at timestamptz,
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id),
  CHECK ((status = 'decommissioned') = (decommissioned_at IS NOT NULL))
);
CREATE INDEX devices_by_hostname ON devices (tenant_id, hostname, id);
CREATE INDEX devices_by_created ON devices (tenant_id, created_at, id);
CREATE INDEX devices_of_site ON devices (tenant_id, site_id);
CALL tenant_table('devices', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION devices_go_forward() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.epoch < OLD.epoch THEN RAISE EXCEPTION 'the epoch of a device never goes back'; END IF;
  IF OLD.status = 'decommissioned' AND NEW.status <> 'decommissioned'
  THEN RAISE EXCEPTION 'a decommissioned device stays decommissioned'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER devices_go_forward BEFORE UPDATE ON devices FOR EACH ROW EXECUTE FUNCTION devices_go_forward();

-- What agents act with. The id stands for the session: gateways remember by it whether the token lives.
CREATE TABLE agent_tokens (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  device_id uuid NOT NULL,
  token_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The agent has it for certain: from then on the token before it is over.
  first_used_at timestamptz,
  -- Set when the agent itself asks for another: it must not wait for ever for a token that was lost on its way.
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_reason text CHECK (revoked_reason IN ('revoked', 'rotated', 'replaced', 'never-used', 'decommissioned')),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, token_hash),
  FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id),
  CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX agent_tokens_of_device ON agent_tokens (tenant_id, device_id, created_at);
CALL tenant_table('agent_tokens', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION refuse_agent_token_revival() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL THEN RAISE EXCEPTION 'a revoked token stays revoked'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER agent_tokens_stay_revoked BEFORE UPDATE ON agent_tokens FOR EACH ROW EXECUTE FUNCTION refuse_agent_token_revival();

CREATE TABLE device_groups (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX device_groups_name ON device_groups (tenant_id, lower(name));
CREATE INDEX device_groups_by_created ON device_groups (tenant_id, created_at, id);
CALL tenant_table('device_groups');

CREATE TABLE device_group_members (
  tenant_id uuid NOT NULL,
  group_id uuid NOT NULL,
  device_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, group_id, device_id),
  FOREIGN KEY (tenant_id, group_id) REFERENCES device_groups (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id)
);
CREATE INDEX device_group_members_of_device ON device_group_members (tenant_id, device_id);
CALL tenant_table('device_group_members', 'SELECT, INSERT, DELETE');

-- Kept to the sites of user_sites; with none of them, to no site at all.
ALTER TABLE users ADD COLUMN site_restricted boolean NOT NULL DEFAULT false;

CREATE TABLE user_sites (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  site_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, user_id, site_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id)
);
CREATE INDEX user_sites_of_site ON user_sites (tenant_id, site_id);
CALL tenant_table('user_sites', 'SELECT, INSERT, DELETE');

-- The directory groups of a person.
CREATE TABLE directory_identities (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  groups text[] NOT NULL,
  updated_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CALL tenant_table('directory_identities');

-- Under which names a person signs in to devices: a name is one person's.
CREATE TABLE directory_account_names (
  tenant_id uuid NOT NULL,
  -- The form in which names are compared.
  folded text COLLATE "C" NOT NULL,
  -- The same without the domain.
  bare text COLLATE "C" NOT NULL,
  user_id uuid NOT NULL,
  account_name text NOT NULL,
  position int NOT NULL,
  PRIMARY KEY (tenant_id, folded),
  FOREIGN KEY (tenant_id, user_id) REFERENCES directory_identities (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX directory_account_names_of_user ON directory_account_names (tenant_id, user_id);
CREATE INDEX directory_account_names_by_bare ON directory_account_names (tenant_id, bare);
CALL tenant_table('directory_account_names', 'SELECT, INSERT, DELETE');

-- What a level says of a feature. Those of the partner are kept by the tenant that runs the installation.
CREATE TABLE configuration_policies (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  feature text COLLATE "C" NOT NULL CHECK (feature IN ('pam')),
  scope text COLLATE "C" NOT NULL CHECK (scope IN ('partner', 'organization', 'site', 'group', 'device')),
  site_id uuid,
  group_id uuid,
  device_id uuid,
  -- Null: the next level decides.
  uac_interception_enabled boolean,
  updated_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  row_version int NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, group_id) REFERENCES device_groups (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id),
  CHECK ((scope = 'site') = (site_id IS NOT NULL)),
  CHECK ((scope = 'group') = (group_id IS NOT NULL)),
  CHECK ((scope = 'device') = (device_id IS NOT NULL)),
  UNIQUE NULLS NOT DISTINCT (tenant_id, feature, scope, site_id, group_id, device_id)
);
CREATE INDEX configuration_policies_by_created ON configuration_policies (tenant_id, created_at, id);
CALL tenant_table('configuration_policies');

-- What the partner says holds for every organisation, so every organisation may read it, and it alone.
DO $$ BEGIN
  EXECUTE format('CREATE POLICY partner_holds_for_all ON configuration_policies FOR SELECT TO %I USING (scope = ''partner'')',
    current_setting('claviger.service_role'));
END $$;
CREATE FUNCTION refuse_false_partner() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.scope = 'partner' AND NOT (SELECT platform FROM tenants WHERE id = NEW.tenant_id)
  THEN RAISE EXCEPTION 'only the platform says what holds for every organisation' USING ERRCODE = 'insufficient_privilege'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER configuration_policies_partner BEFORE INSERT OR UPDATE ON configuration_policies
  FOR EACH ROW EXECUTE FUNCTION refuse_false_partner();
