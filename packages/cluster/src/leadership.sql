-- Who leads the duties of this service. Redis elects; the term here decides: it only ever grows, whatever Redis forgets.
CREATE TABLE leader_lease (
  role text PRIMARY KEY,
  term bigint NOT NULL CHECK (term > 0),
  -- Empty: nobody of this term may write, e.g. after its leader was demoted.
  node text NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE leader_lease IS 'tenantless: which replica of this service leads, in which term';

-- Replicas that may not lead until they are let back in. Here, because Redis may be emptied.
CREATE TABLE demoted_nodes (
  role text NOT NULL,
  node text NOT NULL,
  reason text NOT NULL,
  demoted_by text NOT NULL,
  demoted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (role, node)
);
COMMENT ON TABLE demoted_nodes IS 'tenantless: replicas of this service that an operator keeps from leading';

-- For whoever has just won in Redis. Answers the new term. Waits for transactions of the leader before.
CREATE FUNCTION raise_leader_term(for_role text, for_node text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
DECLARE new_term bigint;
BEGIN
  INSERT INTO leader_lease AS lease (role, term, node) VALUES (for_role, 1, for_node)
    ON CONFLICT (role) DO UPDATE SET term = lease.term + 1, node = excluded.node, raised_at = clock_timestamp()
    RETURNING lease.term INTO new_term;
  -- After the lock, which demoting takes too: of the two, the later sees the earlier.
  IF EXISTS (SELECT FROM demoted_nodes WHERE role = for_role AND node = for_node) THEN
    RAISE EXCEPTION 'the node may not lead' USING ERRCODE = 'CLV02';
  END IF;
  RETURN new_term;
END $f$;

-- In every transaction in which a leader writes: until it ends, nobody can raise the term.
CREATE FUNCTION assert_leader(for_role text, for_term bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
BEGIN
  PERFORM FROM leader_lease WHERE role = for_role AND term = for_term FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another term has begun' USING ERRCODE = 'CLV01';
  END IF;
END $f$;

-- Ends the term of the node, if it leads; what it has not committed by then is refused. Answers whether it was new.
CREATE FUNCTION demote_node(for_role text, for_node text, with_reason text, by_whom text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
BEGIN
  PERFORM FROM leader_lease WHERE role = for_role FOR UPDATE;
  INSERT INTO demoted_nodes (role, node, reason, demoted_by) VALUES (for_role, for_node, with_reason, by_whom)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE leader_lease SET term = term + 1, node = '', raised_at = clock_timestamp()
    WHERE role = for_role AND node = for_node;
  RETURN true;
END $f$;

CREATE FUNCTION readmit_node(for_role text, for_node text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
BEGIN
  DELETE FROM demoted_nodes WHERE role = for_role AND node = for_node;
  RETURN FOUND;
END $f$;

DO $$
DECLARE each text;
BEGIN
  FOREACH each IN ARRAY ARRAY['raise_leader_term(text, text)', 'assert_leader(text, bigint)',
    'demote_node(text, text, text, text)', 'readmit_node(text, text)'] LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', each);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I, %I', each,
      current_setting('claviger.service_role'), current_setting('claviger.system_role'));
  END LOOP;
  EXECUTE format('GRANT SELECT ON leader_lease, demoted_nodes TO %I, %I',
    current_setting('claviger.service_role'), current_setting('claviger.system_role'));
END $$;
