-- Who gains from a lower access policy asks its approvers: a request that names the resource and no entry.
ALTER TABLE requests ALTER COLUMN entry_id DROP NOT NULL;
ALTER TABLE requests DROP CONSTRAINT requests_kind_check;
ALTER TABLE requests ADD CONSTRAINT requests_kind_check CHECK (kind IN ('access', 'protection', 'policy'));
ALTER TABLE requests ADD CONSTRAINT requests_subject_check
  CHECK ((kind = 'policy') = (entry_id IS NULL) AND (kind <> 'policy' OR resource_id IS NOT NULL));
-- Of the kind policy `change` is {before, after}, each a whole policy.
ALTER TABLE requests DROP CONSTRAINT requests_change_check;
ALTER TABLE requests ADD CONSTRAINT requests_change_check
  CHECK ((kind <> 'access') = (change IS NOT NULL) AND (kind <> 'access') = (change_digest IS NOT NULL));
CREATE INDEX requests_of_policy ON requests (tenant_id, resource_id, change_digest) WHERE kind = 'policy';
CREATE UNIQUE INDEX requests_once_pending_policy ON requests (tenant_id, requester_id, resource_id, digest)
  WHERE status = 'pending' AND kind = 'policy';
