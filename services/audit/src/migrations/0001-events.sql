-- Whoever may do what with the record is said here three times: by grants, by triggers, by the Merkle tree.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $f$;

CREATE TABLE events (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  -- Place in the tenant's log, dense from 0; null until sealed.
  sequence bigint CHECK (sequence >= 0),
  -- The exact text that is hashed: the truth. The columns below repeat parts of it for filters.
  canonical text NOT NULL,
  leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
  -- HMAC of the service that wrote it; checked again before it is sealed.
  mac bytea NOT NULL CHECK (octet_length(mac) = 32),
  action text COLLATE "C" NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('allowed', 'denied', 'failed')),
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'api-token', 'service', 'anonymous')),
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  resource_id text NOT NULL,
  service text NOT NULL,
  source_address text NOT NULL,
  request_id text NOT NULL,
  reason text NOT NULL,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, event_id),
  UNIQUE (tenant_id, sequence)
);
CREATE INDEX events_unsealed ON events (tenant_id, received_at, event_id) WHERE sequence IS NULL;
CREATE INDEX events_by_time ON events (tenant_id, occurred_at, event_id);
CREATE INDEX events_by_action ON events (tenant_id, action, occurred_at, event_id);
CREATE INDEX events_by_actor ON events (tenant_id, actor_id, occurred_at, event_id);
CREATE INDEX events_by_subject ON events (tenant_id, subject_id, occurred_at, event_id);
CREATE INDEX events_by_resource ON events (tenant_id, resource_id, occurred_at, event_id) WHERE resource_id <> '';
CALL tenant_table('events', 'SELECT, INSERT, UPDATE (sequence)');

CREATE TRIGGER events_append_only
  BEFORE DELETE OR TRUNCATE OR UPDATE OF tenant_id, event_id, canonical, leaf_hash, mac, action, outcome, actor_id,
    actor_name, actor_kind, subject_type, subject_id, resource_id, service, source_address, request_id, reason,
    occurred_at, received_at
  ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION seal_once() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.sequence IS NOT NULL OR NEW.sequence IS NULL THEN
    RAISE EXCEPTION 'an event is sealed once, for good' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER events_seal_once BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION seal_once();

-- One row for each tenant's tree; whoever seals holds its lock.
CREATE TABLE trees (
  tenant_id uuid PRIMARY KEY,
  size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
  -- Hashes of the perfect subtrees, largest first, 32 bytes each.
  frontier bytea NOT NULL DEFAULT '' CHECK (octet_length(frontier) % 32 = 0),
  heads bigint NOT NULL DEFAULT 0
);
CALL tenant_table('trees', 'SELECT, INSERT, UPDATE');
CREATE FUNCTION grow_only() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.tenant_id <> OLD.tenant_id OR NEW.size <= OLD.size OR NEW.heads <> OLD.heads + 1 THEN
    RAISE EXCEPTION 'a tree only grows' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER trees_grow_only BEFORE UPDATE ON trees FOR EACH ROW EXECUTE FUNCTION grow_only();
CREATE TRIGGER trees_stay BEFORE DELETE OR TRUNCATE ON trees FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every perfect node: final once complete, read by proofs.
CREATE TABLE tree_nodes (
  tenant_id uuid NOT NULL,
  level smallint NOT NULL,
  index bigint NOT NULL,
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (tenant_id, level, index)
);
CALL tenant_table('tree_nodes', 'SELECT, INSERT');
CREATE TRIGGER tree_nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_nodes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Every signed tree head, for ever.
CREATE TABLE tree_heads (
  tenant_id uuid NOT NULL,
  size bigint NOT NULL CHECK (size > 0),
  root_hash text NOT NULL,
  previous_root_hash text NOT NULL,
  -- Milliseconds: what is signed has no more.
  timestamp timestamptz(3) NOT NULL,
  key_id text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (tenant_id, size)
);
CREATE INDEX tree_heads_by_time ON tree_heads (tenant_id, timestamp, size);
CALL tenant_table('tree_heads', 'SELECT, INSERT');
CREATE TRIGGER tree_heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tree_heads
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Stored events that were altered before they could be sealed: kept as they are, never sealed.
CREATE TABLE quarantined_events (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  reason text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id)
);
CALL tenant_table('quarantined_events', 'SELECT, INSERT');
CREATE TRIGGER quarantined_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quarantined_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Messages that are no events of ours: forged, malformed, or not storable.
CREATE TABLE dead_letters (
  -- SHA-256 of the message: given twice, kept once.
  id text PRIMARY KEY,
  reason text NOT NULL,
  subject text NOT NULL,
  tenant_id text NOT NULL,
  event_id text NOT NULL,
  payload bytea NOT NULL,
  mac bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE dead_letters IS 'tenantless: the tenant that a forged message names is not proved';
CREATE TRIGGER dead_letters_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letters
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The duties find which tenants have something to seal, and nothing else.
DO $$ DECLARE system_role text := current_setting('claviger.system_role'); BEGIN
  EXECUTE format('GRANT SELECT (tenant_id, event_id, sequence, received_at) ON events TO %I', system_role);
  EXECUTE format('CREATE POLICY system_finds_unsealed ON events FOR SELECT TO %I USING (sequence IS NULL)', system_role);
  EXECUTE format('GRANT SELECT (tenant_id, event_id) ON quarantined_events TO %I', system_role);
  EXECUTE format('CREATE POLICY system_reads ON quarantined_events FOR SELECT TO %I USING (true)', system_role);
  EXECUTE format('GRANT SELECT (tenant_id, size) ON trees TO %I', system_role);
  EXECUTE format('CREATE POLICY system_reads ON trees FOR SELECT TO %I USING (true)', system_role);
  EXECUTE format('GRANT SELECT, INSERT ON dead_letters TO %I', system_role);
END $$;
