-- The last restore of this database that was finished. It only grows.
CREATE TABLE restore_epoch (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  epoch bigint NOT NULL CHECK (epoch >= 0),
  finished_at timestamptz
);
COMMENT ON TABLE restore_epoch IS 'tenantless: concerns the database as a whole';
INSERT INTO restore_epoch (epoch) VALUES (0);

-- Claims of repeated requests end with a restore.
DO $$ BEGIN
  EXECUTE format('GRANT DELETE ON idempotency_keys TO %I', current_setting('claviger.service_role'));
  EXECUTE format('GRANT SELECT ON restore_epoch TO %I, %I',
    current_setting('claviger.service_role'), current_setting('claviger.system_role'));
END $$;

-- A leader of the time before the restore holds a term that is ended here. Answers whether the epoch is new.
CREATE FUNCTION finish_restore(to_epoch bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
BEGIN
  UPDATE restore_epoch SET epoch = to_epoch, finished_at = clock_timestamp() WHERE epoch < to_epoch;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE leader_lease SET term = term + 1000, node = '', raised_at = clock_timestamp();
  RETURN true;
END $f$;
REVOKE ALL ON FUNCTION finish_restore(bigint) FROM PUBLIC;
DO $$ BEGIN
  EXECUTE format('GRANT EXECUTE ON FUNCTION finish_restore(bigint) TO %I', current_setting('claviger.system_role'));
END $$;
