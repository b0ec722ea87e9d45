-- What a rotation waits for or ended with: the kind of the problem, and what to do about it.
ALTER TABLE rotations ADD COLUMN problem_kind text NOT NULL DEFAULT '';
ALTER TABLE rotations ADD COLUMN hint text NOT NULL DEFAULT '';
-- Whoever asked said that nobody knows the current secret: an administrator sets another one without a login first.
ALTER TABLE rotations ADD COLUMN secret_lost boolean NOT NULL DEFAULT false;
-- What the target said to the current secret before an administrator set another one.
ALTER TABLE rotations ADD COLUMN first_login text NOT NULL DEFAULT ''
  CHECK (first_login IN ('', 'accepted', 'refused', 'unknown', 'not_tried'));
-- `unverified`: the target reported the change, and the account cannot log in, so that no login proves it.
ALTER TABLE rotations DROP CONSTRAINT rotations_state_check;
ALTER TABLE rotations ADD CONSTRAINT rotations_state_check
  CHECK (state IN ('pending', 'applying', 'verified', 'unverified', 'refused', 'ambiguous', 'out_of_sync'));

-- The end of a grant or of an emergency session is remembered like a containment: it asks for more than a schedule does.
ALTER TABLE entries DROP CONSTRAINT entries_rotation_cause_check;
ALTER TABLE entries ADD CONSTRAINT entries_rotation_cause_check CHECK (rotation_cause IN ('exposure', 'grant-ended'));
-- Somebody saw the secret of an account that is out of step: an administrator can still set another one.
CREATE INDEX entries_due_out_of_sync ON entries (next_rotation_at)
  WHERE next_rotation_at IS NOT NULL AND status = 'active' AND rotation_state = 'out_of_sync' AND rotation_cause IS NOT NULL;
DO $$ BEGIN
  EXECUTE format('GRANT SELECT (rotation_cause) ON entries TO %I', current_setting('claviger.system_role'));
END $$;

-- An account that is out of step is no obstacle where an administrator can set its password.
CREATE OR REPLACE VIEW exposure_ledger WITH (security_invoker = true) AS
SELECT p.*, e.name AS entry_name, e.type AS entry_type, e.username, e.asset_id, coalesce(a.name, '') AS asset_name,
  p.entry_id || ' ' || lpad(p.version::text, 10, '0') || ' ' || p.user_id AS key,
  e.status = 'active' AND e.current_version = p.version AS current,
  e.rotation_state IN ('pending', 'applying', 'ambiguous') AS under_way,
  coalesce(e.next_rotation_at <= now(), false) AS due,
  CASE
    WHEN e.type <> 'password' OR e.asset_id IS NULL OR e.username = '' THEN 'not_rotatable'
    WHEN e.unproven THEN 'unproven'
    WHEN m.id IS NULL THEN 'no_module'
    WHEN NOT m.enabled THEN 'module_disabled'
    WHEN a.status <> 'active' THEN 'resource_disabled'
    WHEN EXISTS (SELECT FROM entries o WHERE o.tenant_id = e.tenant_id AND o.account_id = e.account_id AND o.type = e.type
      AND o.status = 'active' AND o.id <> e.id) THEN 'account_shared'
    WHEN b.id IS NULL AND coalesce(a.settings ->> 'rotateAs', m.config ->> 'rotateAs') = 'admin' THEN 'no_admin_entry'
    WHEN e.rotation_state = 'out_of_sync' AND (b.id IS NULL
      OR m.type = 'http' AND coalesce(a.settings ->> 'rotateAs', m.config ->> 'rotateAs', 'self') <> 'admin') THEN 'out_of_sync'
  END AS obstacle
FROM (
  SELECT tenant_id, entry_id, version, user_id, max(user_name) AS user_name,
    min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at, sum(times)::int AS times
  FROM exposure_paths GROUP BY tenant_id, entry_id, version, user_id
) p
JOIN entries e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
LEFT JOIN assets a ON a.tenant_id = e.tenant_id AND a.id = e.asset_id
LEFT JOIN modules m ON m.tenant_id = a.tenant_id AND m.id = a.module_id
LEFT JOIN entries b ON b.tenant_id = a.tenant_id AND b.id = a.admin_entry_id AND b.status = 'active' AND NOT b.unproven;
