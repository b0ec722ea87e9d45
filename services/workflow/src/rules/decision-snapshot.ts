import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/** The time of one decision and the version of the rules at that time. Read once and passed to all steps. */
export interface DecisionSnapshot {
  /** By the database's clock, in epoch milliseconds. */
  readonly nowMs: number;
  /** 0 if the rules were never changed; undefined if it cannot be read: then a person decides. */
  readonly version: number | undefined;
}

/** Reads both in one statement. */
export async function readSnapshot(reader: Reader<WorkflowSchema>): Promise<DecisionSnapshot> {
  const { rows } = await sql<{ now: Date; version: number }>`
    SELECT clock_timestamp() AS now, coalesce((SELECT version FROM rule_set_heads), 0) AS version`.execute(
    reader,
  );
  const { now, version } = rows[0]!;
  return { nowMs: now.getTime(), version };
}
