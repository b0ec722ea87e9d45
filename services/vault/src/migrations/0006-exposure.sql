-- Every way in which a secret became known to somebody: `exposures` keeps the latest grant alone. A secret that a person typed is
-- known to them without a disclosure, and stands here only.
CREATE TABLE exposure_paths (
  tenant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  version int NOT NULL,
  user_id uuid NOT NULL,
  -- Under a grant or an emergency session; by a share, as the creator or an administrator of the entry; by recovering candidates;
  -- or by setting the secret.
  kind text NOT NULL CHECK (kind IN ('grant', 'emergency', 'share', 'creator', 'administrator', 'recovery', 'set')),
  -- The grant or the emergency session; zeros where there is none.
  via uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  -- As they were called then: people leave, and their names with them.
  user_name text NOT NULL DEFAULT '',
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  -- Seen again in the same way within a minute counts once.
  times int NOT NULL DEFAULT 1,
  CHECK ((kind IN ('grant', 'emergency')) = (via <> '00000000-0000-0000-0000-000000000000')),
  PRIMARY KEY (tenant_id, entry_id, version, user_id, kind, via),
  FOREIGN KEY (tenant_id, entry_id, version) REFERENCES entry_versions (tenant_id, entry_id, version)
);
CREATE INDEX exposure_paths_of_user ON exposure_paths (tenant_id, user_id, entry_id, version);
CALL tenant_table('exposure_paths', 'SELECT, INSERT, UPDATE');

-- What was seen before is filled in as far as it is known. The owner is held by row-level security like everybody else.
ALTER TABLE exposure_paths NO FORCE ROW LEVEL SECURITY;
ALTER TABLE exposures NO FORCE ROW LEVEL SECURITY;
ALTER TABLE emergency_disclosures NO FORCE ROW LEVEL SECURITY;
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE entry_versions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE rotations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE shares NO FORCE ROW LEVEL SECURITY;
INSERT INTO exposure_paths (tenant_id, entry_id, version, user_id, kind, via, first_seen_at, last_seen_at, times)
  SELECT tenant_id, entry_id, version, user_id, 'grant', grant_id, first_seen_at, last_seen_at, times
  FROM exposures WHERE grant_id IS NOT NULL;
INSERT INTO exposure_paths (tenant_id, entry_id, version, user_id, kind, via, first_seen_at, last_seen_at, times)
  SELECT tenant_id, entry_id, version, user_id, 'emergency', session_id, min(disclosed_at), max(disclosed_at), count(*)
  FROM emergency_disclosures GROUP BY tenant_id, entry_id, version, user_id, session_id;
-- Of the rest it is not known by which standing right it was seen: the one that they hold now.
INSERT INTO exposure_paths (tenant_id, entry_id, version, user_id, kind, first_seen_at, last_seen_at, times)
  SELECT x.tenant_id, x.entry_id, x.version, x.user_id,
    CASE
      WHEN EXISTS (SELECT FROM shares s WHERE (s.tenant_id, s.entry_id, s.user_id) = (x.tenant_id, x.entry_id, x.user_id)) THEN 'share'
      WHEN e.created_by = x.user_id::text THEN 'creator'
      ELSE 'administrator'
    END, x.first_seen_at, x.last_seen_at, x.times
  FROM exposures x JOIN entries e ON (e.tenant_id, e.id) = (x.tenant_id, x.entry_id)
  WHERE NOT EXISTS (SELECT FROM exposure_paths p
    WHERE (p.tenant_id, p.entry_id, p.version, p.user_id) = (x.tenant_id, x.entry_id, x.version, x.user_id));
-- A version that no rotation made was given by its creator, or generated with the entry. Nobody kept which: it counts as known.
INSERT INTO exposure_paths (tenant_id, entry_id, version, user_id, kind, first_seen_at, last_seen_at)
  SELECT v.tenant_id, v.entry_id, v.version, v.created_by::uuid, 'set', v.created_at, v.created_at
  FROM entry_versions v
  WHERE v.created_by ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' AND v.state IN ('current', 'previous')
    AND NOT EXISTS (SELECT FROM rotations r WHERE (r.tenant_id, r.entry_id, r.version) = (v.tenant_id, v.entry_id, v.version));
ALTER TABLE exposure_paths FORCE ROW LEVEL SECURITY;
ALTER TABLE exposures FORCE ROW LEVEL SECURITY;
ALTER TABLE emergency_disclosures FORCE ROW LEVEL SECURITY;
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE entry_versions FORCE ROW LEVEL SECURITY;
ALTER TABLE rotations FORCE ROW LEVEL SECURITY;
ALTER TABLE shares FORCE ROW LEVEL SECURITY;

-- Why the due-queue holds an entry, beside its schedule and a grant that ended.
ALTER TABLE entries ADD COLUMN rotation_cause text CHECK (rotation_cause = 'exposure');
ALTER TABLE rotations DROP CONSTRAINT rotations_trigger_check;
ALTER TABLE rotations ADD CONSTRAINT rotations_trigger_check
  CHECK (trigger IN ('manual', 'schedule', 'grant-ended', 'exposure'));

-- The ledger: a row for each version that a person knows. `obstacle` is the code of what keeps a machine from replacing it.
CREATE VIEW exposure_ledger WITH (security_invoker = true) AS
SELECT p.*, e.name AS entry_name, e.type AS entry_type, e.username, e.asset_id, coalesce(a.name, '') AS asset_name,
  p.entry_id || ' ' || lpad(p.version::text, 10, '0') || ' ' || p.user_id AS key,
  e.status = 'active' AND e.current_version = p.version AS current,
  e.rotation_state IN ('pending', 'applying', 'ambiguous') AS under_way,
  coalesce(e.next_rotation_at <= now(), false) AS due,
  CASE
    WHEN e.type <> 'password' OR e.asset_id IS NULL OR e.username = '' THEN 'not_rotatable'
    WHEN m.id IS NULL THEN 'no_module'
    WHEN NOT m.enabled THEN 'module_disabled'
    WHEN a.status <> 'active' THEN 'resource_disabled'
    WHEN coalesce(a.settings ->> 'rotateAs', m.config ->> 'rotateAs') = 'admin' AND NOT EXISTS (
      SELECT FROM entries b WHERE b.tenant_id = a.tenant_id AND b.id = a.admin_entry_id AND b.status = 'active') THEN 'no_admin_entry'
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
DO $$ BEGIN
  EXECUTE format('GRANT SELECT ON exposure_ledger TO %I', current_setting('claviger.service_role'));
END $$;
