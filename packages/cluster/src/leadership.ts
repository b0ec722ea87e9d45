import { type Database, sqlState, type Tx } from '@claviger/database';
import { sql } from 'kysely';

/** Another leads, or nobody can tell: whatever was being done as a leader ends here, and its transaction with it. */
export class LeadershipLost extends Error {
  override readonly name = 'LeadershipLost';
}

/** The right to act as the one leader of a service, for one term. */
export interface Leadership {
  /** The service. */
  readonly role: string;
  readonly term: number;
  /** Aborts when the leadership is lost or given up. */
  readonly signal: AbortSignal;
  /** Whether this replica may still trust itself, by its own monotonic clock. Only `assert` is certain. */
  holds(): boolean;
  /**
   * In each transaction in which a leader writes: keeps a newer term from beginning until it ends. Throws
   * `LeadershipLost` when one has begun.
   */
  assert<DB>(tx: Tx<DB>): Promise<void>;
}

/** SQLSTATE of `assert_leader` and `raise_leader_term`. */
const FENCED = 'CLV01';
const DEMOTED = 'CLV02';

/** Asserts a term in PostgreSQL. Throws `LeadershipLost` when a newer one has begun. */
export async function assertTerm<DB>(tx: Tx<DB>, role: string, term: number): Promise<void> {
  try {
    await sql`SELECT assert_leader(${role}, ${term})`.execute(tx);
  } catch (error) {
    if (sqlState(error) === FENCED)
      throw new LeadershipLost(`Term ${term} of ${role} is over.`, { cause: error });
    throw error;
  }
}

/** Begins the next term for `node`; `demoted` when it may not lead. */
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
