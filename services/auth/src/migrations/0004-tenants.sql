-- Tenants come, are suspended and go; a name is free again once its tenant is on its way out.
ALTER TABLE tenants DROP CONSTRAINT tenants_status_check;
ALTER TABLE tenants DROP CONSTRAINT tenants_name_key;
ALTER TABLE tenants
  ADD CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended', 'deprovisioning', 'deprovisioned')),
  ADD CONSTRAINT tenants_platform_stays CHECK (status = 'active' OR NOT platform),
  -- Counts the changes of the status: what stores are told never goes back.
  ADD COLUMN version bigint NOT NULL DEFAULT 1,
  ADD COLUMN status_reason text NOT NULL DEFAULT '',
  ADD COLUMN status_changed_by text NOT NULL DEFAULT '',
  ADD COLUMN status_changed_at timestamptz;
CREATE UNIQUE INDEX tenants_name ON tenants (name) WHERE status IN ('active', 'suspended');
CREATE INDEX tenants_by_name ON tenants (name, id);
CREATE INDEX tenants_by_created ON tenants (created_at, id);

CREATE FUNCTION tenants_go_forward() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF NEW.version < OLD.version OR (NEW.status <> OLD.status AND NEW.version = OLD.version)
  THEN RAISE EXCEPTION 'the standing of a tenant never goes back'; END IF;
  IF OLD.status = 'deprovisioned' AND NEW.status <> 'deprovisioned'
  THEN RAISE EXCEPTION 'a deprovisioned tenant stays deprovisioned'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER tenants_go_forward BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION tenants_go_forward();

-- What each store has been told. What it has not applied yet is repeated until it has.
CREATE TABLE standing_deliveries (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  service text NOT NULL,
  wanted_version bigint NOT NULL,
  applied_version bigint NOT NULL DEFAULT 0,
  attempts int NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, service)
);
CREATE INDEX standing_deliveries_due ON standing_deliveries (next_try_at) WHERE applied_version < wanted_version;
CALL tenant_table('standing_deliveries', 'SELECT, INSERT, UPDATE');
CALL system_reads('standing_deliveries');

-- Orders to wind a tenant down: two persons, and a time in which it can be taken back.
CREATE TABLE deprovision_orders (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('awaiting-confirmation', 'confirmed', 'withdrawn', 'lapsed', 'done')),
  reason text NOT NULL,
  ordered_by text NOT NULL,
  ordered_by_name text NOT NULL,
  ordered_at timestamptz NOT NULL DEFAULT now(),
  confirm_until timestamptz NOT NULL,
  confirmed_by text,
  confirmed_by_name text,
  confirmed_at timestamptz,
  -- When the keys are destroyed.
  destroy_at timestamptz,
  ended_at timestamptz,
  attempts int NOT NULL DEFAULT 0,
  next_try_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK (confirmed_by IS NULL OR confirmed_by <> ordered_by),
  CHECK ((state IN ('confirmed', 'done')) <= (confirmed_by IS NOT NULL AND destroy_at IS NOT NULL)),
  CHECK ((state IN ('awaiting-confirmation', 'confirmed')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX deprovision_orders_open ON deprovision_orders (tenant_id) WHERE ended_at IS NULL;
CREATE INDEX deprovision_orders_due ON deprovision_orders (destroy_at) WHERE state = 'confirmed';
CALL tenant_table('deprovision_orders', 'SELECT, INSERT, UPDATE');
CALL system_reads('deprovision_orders');

-- The proof that the keys of a tenant are gone.
CREATE TABLE deletion_records (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
  record text NOT NULL,
  key_id text NOT NULL,
  signed_at timestamptz NOT NULL
);
CALL tenant_table('deletion_records', 'SELECT, INSERT');
CALL system_reads('deletion_records');

ALTER TABLE tenant_keys ADD COLUMN destroyed_at timestamptz;

DO $$ DECLARE service_role text := current_setting('claviger.service_role');
BEGIN
  EXECUTE format('GRANT UPDATE (name, version, status_reason, status_changed_by, status_changed_at) ON tenants TO %I', service_role);
  EXECUTE format('GRANT UPDATE (wrapped, destroyed_at) ON tenant_keys TO %I', service_role);
END $$;
CREATE FUNCTION keep_destroyed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  IF OLD.destroyed_at IS NOT NULL OR NEW.destroyed_at IS NULL OR octet_length(NEW.wrapped) > 0
  THEN RAISE EXCEPTION 'a key only changes by being destroyed, once'; END IF;
  RETURN NEW;
END $f$;
CREATE TRIGGER keep_destroyed BEFORE UPDATE ON tenant_keys FOR EACH ROW EXECUTE FUNCTION keep_destroyed();

-- What happened and may cost money, metered from the tenant's sealed audit log: numbered without gaps, never changed.
CREATE TABLE billing_events (
  tenant_id uuid NOT NULL REFERENCES tenants (id),
  sequence bigint NOT NULL CHECK (sequence >= 0),
  -- Of the audit event: metering the log again gives the same rows.
  id uuid NOT NULL,
  audit_sequence bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  quantity bigint NOT NULL CHECK (quantity >= 0),
  unit text NOT NULL CHECK (unit IN ('count', 'seconds')),
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  occurred_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, sequence),
  UNIQUE (tenant_id, id)
);
CREATE INDEX billing_events_by_time ON billing_events (tenant_id, occurred_at, id);
CREATE INDEX billing_events_of_all ON billing_events (occurred_at, id);
CALL tenant_table('billing_events', 'SELECT, INSERT');
CALL system_reads('billing_events');
CREATE FUNCTION refuse_billing_change() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  RAISE EXCEPTION 'billing events are append-only' USING ERRCODE = 'insufficient_privilege';
END $f$;
CREATE TRIGGER billing_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_billing_change();

-- How far each log has been metered; moved in the transaction of the rows.
CREATE TABLE billing_cursors (
  tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
  next_audit_sequence bigint NOT NULL DEFAULT 0,
  next_sequence bigint NOT NULL DEFAULT 0
);
CALL tenant_table('billing_cursors', 'SELECT, INSERT, UPDATE');
CALL system_reads('billing_cursors');
