import type { Database } from '@claviger/database';
import type { RawBuilder } from 'kysely';
import type { Leadership } from './leadership.ts';

/** Limit of one run; afterwards the caller must run again, so that other work has its turn. */
const MAX_ROUNDS = 100;

export interface BatchedStatement {
  /** Deletes at most `limit` rows, by an index. */
  readonly statement: RawBuilder<unknown>;
  readonly limit: number;
}

export interface Removed {
  readonly rows: number;
  /** Whether rows may be left after the 100 rounds of one run. */
  readonly hasMore: boolean;
}

/**
 * Runs the statements in turn, each in its own system transaction, until none deletes as many rows as its
 * limit. The work of a statement does not grow with the backlog, and a failure keeps earlier deletions.
 */
export async function removeInBatches<DB>(
  database: Database<DB>,
  leadership: Pick<Leadership, 'assert' | 'signal'>,
  statements: readonly BatchedStatement[],
): Promise<Removed> {
  let rows = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    let hasMore = false;
    for (const { statement, limit } of statements) {
      if (leadership.signal.aborted) return { rows, hasMore: true };
      const { numAffectedRows = 0n } = await database.system(async (tx) => {
        await leadership.assert(tx);
        return statement.execute(tx);
      });
      rows += Number(numAffectedRows);
      hasMore ||= numAffectedRows >= limit;
    }
    if (!hasMore) return { rows, hasMore };
  }
  return { rows, hasMore: true };
}
