-- Idempotency keys that an effect was done under: written in the transaction of the effect, and only there.
CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL,
  actor_id text NOT NULL,
  -- SHA-256 of the key: clients put all kinds of things into one.
  key_digest bytea NOT NULL,
  -- Of the one call that wrote the row.
  claim_id uuid NOT NULL,
  method text NOT NULL,
  -- HMAC-SHA-256 of the request: a bare hash would let whoever reads this table guess at a password inside.
  request_digest bytea NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  -- Whether the answer is kept when the call has ended: only where all of it is public.
  keeps_answer boolean NOT NULL,
  answer bytea,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, actor_id, key_digest)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CALL tenant_table('idempotency_keys', 'SELECT, INSERT, UPDATE');
CALL system_reads('idempotency_keys');
DO $$ BEGIN
  EXECUTE format('GRANT DELETE ON idempotency_keys TO %I', current_setting('claviger.system_role'));
  EXECUTE format('CREATE POLICY cleanup_removes ON idempotency_keys FOR DELETE TO %I USING (created_at < now() - interval ''24 hours'')', current_setting('claviger.system_role'));
END $$;
