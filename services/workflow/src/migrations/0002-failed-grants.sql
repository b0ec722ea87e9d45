-- A grant whose entitlement the vault refuses for good has failed: it ends, with the reason, before it was ever active.
DO $$
DECLARE outdated text;
BEGIN
  FOR outdated IN
    SELECT conname FROM pg_constraint WHERE conrelid = 'grants'::regclass AND contype = 'c'
      AND pg_get_constraintdef(oid) LIKE '%status%' AND pg_get_constraintdef(oid) LIKE '%expired%revoked%'
  LOOP EXECUTE format('ALTER TABLE grants DROP CONSTRAINT %I', outdated); END LOOP;
END $$;
ALTER TABLE grants
  ADD COLUMN problem text NOT NULL DEFAULT '',
  -- What becomes of the secret, as the vault has answered.
  ADD COLUMN rotation text NOT NULL DEFAULT '' CHECK (rotation IN ('', 'queued', 'not-needed', 'impossible')),
  -- The vault itself refuses to place what was removed: a removal is the last word at once.
  DROP COLUMN place_asked_at;
ALTER TABLE grants
  ADD CONSTRAINT grants_status CHECK (status IN ('activating', 'active', 'expired', 'revoked', 'failed')),
  ADD CONSTRAINT grants_ended CHECK ((status IN ('expired', 'revoked', 'failed')) = (ended_at IS NOT NULL)),
  ADD CONSTRAINT grants_problem CHECK ((status = 'failed') = (problem <> ''));
