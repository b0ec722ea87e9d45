-- Who would take over an entry whose owner has left, until another administrator confirms it. One proposal of an entry at a time.
CREATE TABLE entry_adoptions (
  tenant_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  -- The owner who has left; null where the entry has none. Of another owner the proposal says nothing.
  former_owner_id uuid,
  proposed_by uuid NOT NULL,
  proposed_by_name text NOT NULL,
  -- All who count as the proposer: none of them confirms.
  proposers uuid[] NOT NULL,
  reason text NOT NULL,
  proposed_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, entry_id),
  FOREIGN KEY (tenant_id, entry_id) REFERENCES entries (tenant_id, id)
);
CALL tenant_table('entry_adoptions');
