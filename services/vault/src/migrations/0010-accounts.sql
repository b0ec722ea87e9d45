-- An account of a target: one row whatever the spelling of host and user name, and whichever entries and resources name it.
CREATE TABLE accounts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Kind, host and port, and the user name, as `accountKey` of the connectors writes them.
  target_key text NOT NULL,
  account_key text NOT NULL,
  -- Logins that the target may have counted as failed since probe_window_at.
  probes int NOT NULL DEFAULT 0,
  probe_window_at timestamptz,
  -- The secret that the target accepted last. Null once it refused one.
  accepted_entry_id uuid,
  accepted_version int,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, target_key, account_key)
);
CALL tenant_table('accounts', 'SELECT, INSERT, UPDATE');

ALTER TABLE entries
  ADD COLUMN account_id uuid,
  -- Due-queue: the account is to be found out. Entries of former releases begin with it.
  ADD COLUMN account_due boolean NOT NULL DEFAULT true,
  -- Another entry of the same type holds the account. Former releases let both be stored.
  ADD COLUMN account_linked boolean NOT NULL DEFAULT false,
  ADD FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id);
CREATE UNIQUE INDEX entries_one_account ON entries (tenant_id, account_id, type)
  WHERE status = 'active' AND account_id IS NOT NULL AND NOT account_linked;
CREATE INDEX entries_of_account ON entries (tenant_id, account_id) WHERE account_id IS NOT NULL;
CREATE INDEX entries_account_due ON entries (created_at, id) WHERE account_due AND status = 'active';
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (account_due, created_at) ON entries TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_finds_accounts ON entries FOR SELECT TO %I USING (account_due)', current_setting('claviger.system_role'));
END $$;

-- The budget of logins belongs to the account now.
ALTER TABLE entries DROP COLUMN probes, DROP COLUMN probe_window_at;

-- Whether the login by which this rotation changes the password is counted in the budget and not settled.
ALTER TABLE rotations ADD COLUMN login_counted boolean NOT NULL DEFAULT false;
