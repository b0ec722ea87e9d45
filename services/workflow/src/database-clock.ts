import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from './schema.ts';

/**
 * The start of this transaction by the database's clock, in epoch milliseconds: the value of `now()` in its
 * statements.
 */
export async function transactionTimeMs(reader: Reader<WorkflowSchema>): Promise<number> {
  const { rows } = await sql<{ now: Date }>`SELECT now() AS now`.execute(reader);
  return rows[0]!.now.getTime();
}

/**
 * The current time by the database's clock, in epoch milliseconds. Unlike `now()`, it is current after a wait
 * for a lock.
 */
export async function presentMs(reader: Reader<WorkflowSchema>): Promise<number> {
  const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(reader);
  return rows[0]!.now.getTime();
}
