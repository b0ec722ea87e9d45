-- Who has full access to an entry, and who keeps a resource: its creator until it passes to somebody else. Null: nobody.
ALTER TABLE entries ADD COLUMN owner_id uuid;
ALTER TABLE assets ADD COLUMN owner_id uuid;
-- Counts the changes of protection, place and account name: an approved change is for exactly one state of the entry.
ALTER TABLE entries ADD COLUMN protection_version int NOT NULL DEFAULT 1;

-- The owner of the tables is held by row-level security like everybody else.
ALTER TABLE entries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE assets NO FORCE ROW LEVEL SECURITY;
UPDATE entries SET owner_id = created_by::uuid
  WHERE created_by ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
UPDATE assets SET owner_id = created_by::uuid
  WHERE created_by ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
ALTER TABLE entries FORCE ROW LEVEL SECURITY;
ALTER TABLE assets FORCE ROW LEVEL SECURITY;
CREATE INDEX entries_of_owner ON entries (tenant_id, owner_id, name, id) WHERE status = 'active';

-- The standing access of a user to an entry: none, view, modify or full. Disclosures and the checks of all operations use this
-- one rule; `share` is the access of the user's own share, `administrator` whether they hold vault.entries.retrieve-any.
CREATE FUNCTION standing_access(owner_id uuid, share text, user_id uuid, administrator boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
  SELECT CASE WHEN owner_id = user_id OR share = 'manage' OR administrator THEN 'full'
    WHEN share IN ('modify', 'view') THEN share ELSE 'none' END
$f$;

-- What the ledger calls a disclosure to the owner. Rows of former releases say creator.
ALTER TABLE exposure_paths DROP CONSTRAINT exposure_paths_kind_check;
ALTER TABLE exposure_paths ADD CONSTRAINT exposure_paths_kind_check
  CHECK (kind IN ('grant', 'emergency', 'share', 'owner', 'creator', 'administrator', 'recovery', 'set'));
