-- Whatever leaves the service leaves through here, written in the acting transaction.
CREATE TABLE outbox (
  tenant_id uuid NOT NULL,
  event_id uuid NOT NULL,
  -- Where it goes: `audit.<service>`, `event.<name>` or `job.<queue>`.
  subject text NOT NULL,
  -- First part of the subject. A column, because behind row-level security an index over an expression is not used: the
  -- function might tell of rows that the role may not see.
  kind text NOT NULL GENERATED ALWAYS AS (split_part(subject, '.', 1)) STORED,
  -- Of audit events the exact canonical JSON that is hashed.
  payload text NOT NULL,
  -- HMAC-SHA-256 of the writing service. Audit events name tenant and id in their payload; for others they are part of it.
  mac bytea NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz,
  PRIMARY KEY (tenant_id, event_id)
);
-- By what each relay loop asks: one kind must not wade through the backlog of another whose server is away.
CREATE INDEX outbox_unpublished ON outbox (kind, created_at) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (kind, published_at) WHERE published_at IS NOT NULL;
CALL tenant_table('outbox', 'INSERT');
-- The relay: it may mark rows as published and remove published ones, nothing else.
CALL system_reads('outbox');
DO $$ BEGIN
  EXECUTE format('GRANT UPDATE (published_at), DELETE ON outbox TO %I', current_setting('claviger.system_role'));
  -- No condition on the old row: with one, a backlog would be searched by the index of what is unpublished, row by row.
  EXECUTE format('CREATE POLICY relay_marks ON outbox FOR UPDATE TO %I USING (true) WITH CHECK (published_at IS NOT NULL)', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY relay_removes ON outbox FOR DELETE TO %I USING (published_at < now() - interval ''1 hour'')', current_setting('claviger.system_role'));
END $$;
