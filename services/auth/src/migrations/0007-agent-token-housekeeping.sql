-- An agent may ask for tokens as often as it likes: what ended a week ago goes.
CREATE INDEX agent_tokens_by_end ON agent_tokens (revoked_at) WHERE revoked_at IS NOT NULL;
CALL system_reads('agent_tokens');
DO $$ DECLARE system_role text := current_setting('claviger.system_role');
BEGIN
  EXECUTE format('GRANT DELETE ON agent_tokens TO %I', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON agent_tokens FOR DELETE TO %I USING (revoked_at < now() - interval ''7 days'')', system_role);
END $$;
