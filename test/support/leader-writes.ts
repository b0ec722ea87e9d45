import type { Network } from '@claviger/testkit';
import { expect } from 'vitest';

/** A committed transaction of a leader. */
export interface LeaderWrite {
  readonly term: number;
  readonly node: string;
}

/**
 * Records every transaction in which a leader of the service writes, at the assertion of its term. The
 * assertion holds a lock that keeps the next term from beginning, so the records are in the order of terms
 * only if fencing works.
 */
export async function noteLeaderWrites(network: Network, service: string): Promise<void> {
  await network.superuser(async (db) => {
    await db.query(`SET search_path = ${service}`);
    await db.query(
      `CREATE TABLE leader_writes (number bigint GENERATED ALWAYS AS IDENTITY, term bigint, node text)`,
    );
    await db.query(`COMMENT ON TABLE leader_writes IS 'tenantless: of a test'`);
    const { rows } = await db.query<{ owner: string }>(
      `SELECT proowner::regrole::text AS owner FROM pg_proc
        WHERE proname = 'assert_leader' AND pronamespace = $1::regnamespace`,
      [service],
    );
    await db.query(`ALTER TABLE leader_writes OWNER TO ${rows[0]!.owner}`);
    await db.query(`CREATE OR REPLACE FUNCTION assert_leader(for_role text, for_term bigint) RETURNS void
      LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
      BEGIN
        PERFORM FROM leader_lease WHERE role = for_role AND term = for_term FOR SHARE;
        IF NOT FOUND THEN RAISE EXCEPTION 'another term has begun' USING ERRCODE = 'CLV01'; END IF;
        INSERT INTO leader_writes (term, node) VALUES (for_term, current_setting('application_name'));
      END $f$`);
  });
}

export function leaderWrites(network: Network, service: string): Promise<LeaderWrite[]> {
  return network.superuser(async (db) => {
    const { rows } = await db.query<LeaderWrite>(
      `SELECT term::int, node FROM ${service}.leader_writes ORDER BY number`,
    );
    return rows;
  });
}

/** The leader according to PostgreSQL. */
export function leaseOf(network: Network, service: string): Promise<LeaderWrite> {
  return network.superuser(async (db) => {
    const { rows } = await db.query<LeaderWrite>(`SELECT term::int, node FROM ${service}.leader_lease`);
    return rows[0]!;
  });
}

/** I4: each term has one node, and no record of an older term follows one of a newer term. */
export function expectFenced(writes: readonly LeaderWrite[]): void {
  const terms = writes.map((write) => write.term);
  expect(terms).toEqual(terms.toSorted((a, b) => a - b));
  for (const [term, group] of Map.groupBy(writes, (write) => write.term))
    expect({ term, nodes: new Set(group.map((write) => write.node)).size }).toEqual({ term, nodes: 1 });
}
