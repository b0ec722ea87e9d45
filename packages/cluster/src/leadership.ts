import { type Database, sqlState, type Tx } from '@claviger/database';
import { sql } from 'kysely';

/** Another replica leads, or the lease expired. The leader's work and its transaction end here. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

/** The leadership of a service for one term. */
export interface Leadership {
  /** The service. */
  readonly role: string;
  readonly term: number;
  /** Aborts when the leadership is lost or given up. */
  readonly signal: AbortSignal;
  /** Whether this replica may still trust its lease, by its own monotonic clock. Only `assert` is certain. */
  holds(): boolean;
  /**
   * Call it in each write transaction of a leader. Prevents a newer term from beginning until the transaction
   * ends. Throws `LeadershipLost` when one has begun.
   */
  assert<DB>(tx: Tx<DB>): Promise<void>;
}

/** SQLSTATEs of `assert_leader` and `raise_leader_term`. */
const FENCED = 'CLV01';
const DEMOTED = 'CLV02';

/** Asserts a term in PostgreSQL. Throws `LeadershipLost` when a newer one has begun. */
export async function assertTerm<DB>(tx: Tx<DB>, role: string, term: number): Promise<void> {
  try {
    await sql`SELECT assert_leader(${role}, ${term})`.execute(tx);
  } catch (error) {
    if (sqlState(error) === FENCED)
      throw new LeadershipLost(`Term ${term} of ${role} has ended.`, { cause: error });
    throw error;
  }
}

/** Begins the next term of `node`; returns `demoted` when it may not lead. */
export async function raiseTerm<DB>(
  database: Database<DB>,
  role: string,
  node: string,
): Promise<number | 'demoted'> {
  try {
    return await database.system(async (tx) => {
      const { rows } = await sql<{
        term: number;
      }>`SELECT raise_leader_term(${role}, ${node}) AS term`.execute(tx);
      return rows[0]!.term;
    });
  } catch (error) {
    if (sqlState(error) === DEMOTED) return 'demoted';
    throw error;
  }
}
