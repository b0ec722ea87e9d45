-- Tokens of agents end when the database is restored to an older state.
ALTER TABLE agent_tokens DROP CONSTRAINT agent_tokens_revoked_reason_check;
ALTER TABLE agent_tokens ADD CONSTRAINT agent_tokens_revoked_reason_check
  CHECK (revoked_reason IN ('revoked', 'rotated', 'replaced', 'never-used', 'decommissioned', 'restore'));
