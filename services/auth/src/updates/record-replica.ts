import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

export interface ReplicaReport {
  readonly service: string;
  readonly node: string;
  readonly version: string;
  readonly runningMs: number;
  readonly ending: boolean;
}

/** Stores that a replica runs or ends, and its version if no replica had it before. */
export async function recordReplica(database: Database<AuthSchema>, report: ReplicaReport): Promise<void> {
  await database.system(async (tx) => {
    const row = {
      service: report.service,
      version: report.version,
      // By the clock of the database; the replica's clock may differ.
      started_at: sql<Date>`now() - make_interval(secs => ${report.runningMs / 1_000}::float8)`,
      seen_at: sql<Date>`now()`,
      ended_at: report.ending ? sql<Date>`now()` : null,
    };
    await tx
      .insertInto('replicas')
      .values({ node: report.node, ...row })
      .onConflict((conflict) => conflict.column('node').doUpdateSet(row))
      .execute();
    await tx
      .insertInto('product_versions')
      .values({ version: report.version })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
}
