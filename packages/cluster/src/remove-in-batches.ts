import type { Database } from '@claviger/database';
import type { RawBuilder } from 'kysely';
import type { Leadership } from './leadership.ts';

/** With the others of the same run: the caller is asked to run again instead. */
const MAX_ROUNDS = 100;

export interface BatchedStatement {
  /** Removes at most `limit` rows, by an index. */
  readonly statement: RawBuilder<unknown>;
  readonly limit: number;
}

export interface Removed {
  readonly rows: number;
  /** Whether more may be left after the 100 rounds of one run. */
  readonly hasMore: boolean;
}

/**
 * Runs the statements one after the other, each in a system transaction of its own, and all of them again until none removes
 * as many rows as it may. No statement grows with the backlog, and what one has removed stays removed when the next fails.
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
