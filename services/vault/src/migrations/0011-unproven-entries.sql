-- An account that its creator has not shown to know, on a resource that is not theirs.
ALTER TABLE entries ADD COLUMN unproven boolean NOT NULL DEFAULT false;

-- Of the stored passwords, those become unproven that nobody ever verified or rotated, on a resource of another owner.
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE assets NO FORCE ROW LEVEL SECURITY;
UPDATE entries e SET unproven = true FROM assets a
  WHERE (a.tenant_id, a.id) = (e.tenant_id, e.asset_id) AND e.type = 'password' AND e.username <> '' AND e.status = 'active'
    AND e.rotation_state = 'idle' AND e.last_verified_at IS NULL AND e.last_rotated_at IS NULL
    AND e.owner_id IS DISTINCT FROM a.owner_id
    AND NOT EXISTS (SELECT FROM assets b WHERE (b.tenant_id, b.admin_entry_id) = (e.tenant_id, e.id));
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE assets FORCE ROW LEVEL SECURITY;

-- The ledger names two more obstacles to a rotation.
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
    WHEN coalesce(a.settings ->> 'rotateAs', m.config ->> 'rotateAs') = 'admin' AND NOT EXISTS (
      SELECT FROM entries b WHERE b.tenant_id = a.tenant_id AND b.id = a.admin_entry_id AND b.status = 'active'
        AND NOT b.unproven) THEN 'no_admin_entry'
    WHEN e.rotation_state = 'out_of_sync' THEN 'out_of_sync'
  END AS obstacle
FROM (
  SELECT tenant_id, entry_id, version, user_id, max(user_name) AS user_name,
    min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at, sum(times)::int AS times
  FROM exposure_paths GROUP BY tenant_id, entry_id, version, user_id
) p
JOIN entries e ON e.tenant_id = p.tenant_id AND e.id = p.entry_id
LEFT JOIN assets a ON a.tenant_id = e.tenant_id AND a.id = e.asset_id
LEFT JOIN modules m ON m.tenant_id = a.tenant_id AND m.id = a.module_id;
