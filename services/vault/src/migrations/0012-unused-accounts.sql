-- An account that no entry names any more, and whose logins no window counts, goes with the last entry that is renamed.
DO $$ BEGIN
  EXECUTE format('GRANT DELETE ON accounts TO %I', current_setting('claviger.service_role'));
END $$;
