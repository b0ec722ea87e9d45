import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** What one decision goes by: a time, and the version of the rules in force at it. Read once and passed down. */
export interface DecisionSnapshot {
  /** By the database's clock, in epoch milliseconds. */
  readonly nowMs: number;
  /** 0 where nothing was ever changed; undefined where it cannot be read: then a person decides. */
  readonly version: number | undefined;
}

/** Both by one statement. */
export async function readSnapshot(reader: Reader<WorkflowSchema>): Promise<DecisionSnapshot> {
  const { rows } = await sql<{ now: Date; version: number }>`
    SELECT clock_timestamp() AS now, coalesce((SELECT version FROM rule_set_heads), 0) AS version`.execute(
    reader,
  );
  const { now, version } = rows[0]!;
  return { nowMs: now.getTime(), version };
}
