import type { Database } from '@claviger/database';
import type { LeadershipSchema } from './schema.ts';

/** Whether an operator has demoted this replica. */
export async function readDemoted<DB>(database: Database<DB>, role: string, node: string): Promise<boolean> {
  return (database as unknown as Database<LeadershipSchema>).system(async (tx) => {
    const row = await tx
      .selectFrom('demoted_nodes')
      .select('node')
      .where('role', '=', role)
      .where('node', '=', node)
      .executeTakeFirst();
    return row !== undefined;
  });
}

export interface LeaseRow {
  readonly term: number;
  readonly node: string;
  readonly raisedAt: Date;
}

export interface DemotedNode {
  readonly node: string;
  readonly reason: string;
  readonly demotedBy: string;
  readonly demotedAt: Date;
}

/** The leader and the demoted nodes in PostgreSQL, which are authoritative. */
export async function readTerms<DB>(
  database: Database<DB>,
  role: string,
): Promise<{ readonly lease: LeaseRow | undefined; readonly demoted: readonly DemotedNode[] }> {
  return (database as unknown as Database<LeadershipSchema>).system(async (tx) => {
    const lease = await tx
      .selectFrom('leader_lease')
      .select(['term', 'node', 'raised_at as raisedAt'])
      .where('role', '=', role)
      .executeTakeFirst();
    const demoted = await tx
      .selectFrom('demoted_nodes')
      .select(['node', 'reason', 'demoted_by as demotedBy', 'demoted_at as demotedAt'])
      .where('role', '=', role)
      .orderBy('node')
      .execute();
    return { lease, demoted };
  });
}
