-- Housekeeping finds what it removes by an index, removes expired API tokens with their sessions, and refresh tokens before the
-- session that they belong to.
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at);
CREATE INDEX one_time_links_by_expiry ON one_time_links (expires_at);
CALL system_reads('api_tokens');
CALL system_reads('refresh_tokens');
DO $$ DECLARE system_role text := current_setting('claviger.system_role');
BEGIN
  EXECUTE format('GRANT DELETE ON api_tokens, refresh_tokens TO %I', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON api_tokens FOR DELETE TO %I USING (expires_at < now() - interval ''7 days'')', system_role);
  EXECUTE format('CREATE POLICY housekeeping ON refresh_tokens FOR DELETE TO %I USING (EXISTS (SELECT FROM sessions s
    WHERE s.tenant_id = refresh_tokens.tenant_id AND s.id = refresh_tokens.session_id AND s.expires_at < now() - interval ''7 days''))', system_role);
  EXECUTE 'DROP POLICY housekeeping ON sessions';
  EXECUTE format('CREATE POLICY housekeeping ON sessions FOR DELETE TO %I USING (expires_at < now() - interval ''7 days'')', system_role);
END $$;
