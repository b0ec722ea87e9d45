-- Grants that ended before the vault heard of them: a late call to place one must not bring it to life.
CREATE TABLE ended_grants (
  tenant_id uuid NOT NULL,
  grant_id uuid NOT NULL,
  cause text NOT NULL,
  ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, grant_id)
);
CALL tenant_table('ended_grants', 'SELECT, INSERT');

-- What became of the secret that was seen under the grant.
ALTER TABLE entitlements ADD COLUMN rotation text CHECK (rotation IN ('queued', 'not-needed', 'impossible'));
