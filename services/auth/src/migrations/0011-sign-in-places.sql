-- From where an account signed in: wrong passwords from elsewhere do not keep it out there.
CREATE TABLE sign_in_places (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- An IPv4 address, or the /64 of an IPv6 one.
  place text NOT NULL,
  last_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id, place),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX sign_in_places_by_age ON sign_in_places (last_at);
CALL tenant_table('sign_in_places');

-- Wrong tries are counted for each place, and for all places together from which the account did not sign in ('').
-- What was counted before goes on as the latter.
ALTER TABLE login_failures ADD COLUMN place text NOT NULL DEFAULT '';
ALTER TABLE login_failures ALTER COLUMN place DROP DEFAULT;
ALTER TABLE login_failures DROP CONSTRAINT login_failures_pkey;
ALTER TABLE login_failures ADD PRIMARY KEY (tenant_id, kind, subject, place);
ALTER TABLE login_failures DROP CONSTRAINT login_failures_kind_check;
ALTER TABLE login_failures ADD CONSTRAINT login_failures_kind_check
  CHECK (kind IN ('password', 'mfa', 'recovery', 'unlock'));

CALL system_reads('sign_in_places');
DO $$ DECLARE system_role text := current_setting('claviger.system_role');
BEGIN
  EXECUTE format('GRANT DELETE ON sign_in_places TO %I', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON sign_in_places FOR DELETE TO %I USING (last_at < now() - interval ''30 days'')', system_role);
  -- A count matters for a quarter of an hour, a lock as long again.
  EXECUTE 'DROP POLICY housekeeping ON login_failures';
  EXECUTE format('CREATE POLICY housekeeping ON login_failures FOR DELETE TO %I USING (last_failed_at < now() - interval ''1 hour'')', system_role);
END $$;
