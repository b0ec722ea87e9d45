-- What workflow is to know of accounts that ended or changed hands: it ends their grants. Repeated until it is done.
CREATE TABLE account_standings (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  wanted_version bigint NOT NULL DEFAULT 1,
  applied_version bigint NOT NULL DEFAULT 0,
  -- False: the account starts nothing.
  active boolean NOT NULL,
  -- What it holds is to end; true until workflow and the vault have ended it.
  ends boolean NOT NULL,
  cause text NOT NULL,
  changed_by uuid NOT NULL,
  attempts int NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX account_standings_due ON account_standings (next_try_at) WHERE applied_version < wanted_version;
CALL tenant_table('account_standings', 'SELECT, INSERT, UPDATE');
CALL system_reads('account_standings');

-- Grants of accounts that had ended before.
ALTER TABLE users NO FORCE ROW LEVEL SECURITY;
ALTER TABLE account_standings NO FORCE ROW LEVEL SECURITY;
INSERT INTO account_standings (tenant_id, user_id, active, ends, cause, changed_by)
  SELECT u.tenant_id, u.id, false, true, 'The account had ended before.', u.id FROM users u
  LEFT JOIN users r ON r.tenant_id = u.tenant_id AND r.id = u.responsible_id
  WHERE u.status <> 'active' OR u.deleted_at IS NOT NULL
    OR (u.kind = 'machine' AND (r.id IS NULL OR r.status <> 'active' OR r.deleted_at IS NOT NULL));
ALTER TABLE users FORCE ROW LEVEL SECURITY;
ALTER TABLE account_standings FORCE ROW LEVEL SECURITY;
