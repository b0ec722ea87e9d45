-- Decisions are kept as long as the tenant says, and never for less than what can be replayed: the rest goes in batches.
DO $$ BEGIN
  EXECUTE format('GRANT DELETE ON evaluations TO %I', current_setting('claviger.service_role'));
  EXECUTE format('CREATE POLICY kept_long_enough ON evaluations AS RESTRICTIVE FOR DELETE TO %I USING (decided_at < now() - interval ''91 days'')',
    current_setting('claviger.service_role'));
  -- The duty that erases finds out whose are old, and reads none.
  EXECUTE format('GRANT SELECT (tenant_id, decided_at) ON evaluations TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY system_reads ON evaluations FOR SELECT TO %I USING (true)', current_setting('claviger.system_role'));
END $$;
