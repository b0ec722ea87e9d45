-- Demoting as before, but not the last replica that may lead, unless forced: its service would do no duties any more. `others` are
-- the other replicas that live. Under the lock that demoting takes: two orders at once see each other.
CREATE FUNCTION demote_node(for_role text, for_node text, with_reason text, by_whom text, others text[], forced boolean)
RETURNS TABLE (changed boolean, was_last boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
BEGIN
  -- The row that the first leader makes: until then there is nothing to lock, and orders take turns by this.
  INSERT INTO leader_lease (role, term, node) VALUES (for_role, 1, '') ON CONFLICT DO NOTHING;
  PERFORM FROM leader_lease WHERE role = for_role FOR UPDATE;
  was_last := NOT EXISTS (SELECT FROM unnest(others) AS other (node) WHERE other.node <> for_node
    AND NOT EXISTS (SELECT FROM demoted_nodes AS d WHERE d.role = for_role AND d.node = other.node));
  INSERT INTO demoted_nodes (role, node, reason, demoted_by) VALUES (for_role, for_node, with_reason, by_whom)
    ON CONFLICT DO NOTHING;
  changed := FOUND;
  IF changed AND was_last AND NOT forced THEN
    RAISE EXCEPTION 'the last replica that may lead' USING ERRCODE = 'CLV03';
  END IF;
  IF changed THEN
    UPDATE leader_lease SET term = term + 1, node = '', raised_at = clock_timestamp()
      WHERE role = for_role AND leader_lease.node = for_node;
  END IF;
  RETURN NEXT;
END $f$;
DROP FUNCTION demote_node(text, text, text, text);

DO $$ BEGIN
  REVOKE ALL ON FUNCTION demote_node(text, text, text, text, text[], boolean) FROM PUBLIC;
  EXECUTE format('GRANT EXECUTE ON FUNCTION demote_node(text, text, text, text, text[], boolean) TO %I, %I',
    current_setting('claviger.service_role'), current_setting('claviger.system_role'));
END $$;
