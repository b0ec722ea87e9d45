-- When the account last ended or passed to somebody else: approvals of before hold no longer. Null where it never did.
ALTER TABLE account_standings ADD COLUMN ended_at timestamptz;

-- The owner is held by row-level security like everybody else. Of what auth told before, each may have been an end.
ALTER TABLE account_standings NO FORCE ROW LEVEL SECURITY;
UPDATE account_standings SET ended_at = changed_at;
ALTER TABLE account_standings FORCE ROW LEVEL SECURITY;
