import type { Tx } from '@claviger/database';
import { sql, type UpdateObject } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { type Move, moveOf } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';

/** The present, as rows keep it; also after a wait for a lock. */
export const present = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;

/**
 * Moves an elevation if, at this very moment by the database's clock, it is in a status that allows it: one conditional
 * statement. Answers the row as it then is; undefined when somebody else was faster or its time is over.
 */
export function moveElevation(
  tx: Tx<WorkflowSchema>,
  id: string,
  move: Exclude<Move, 'expire'>,
  changes: Omit<UpdateObject<WorkflowSchema, 'elevation_requests', 'elevation_requests'>, 'status'> = {},
): Promise<ElevationRow | undefined> {
  const { from, to } = moveOf(move);
  return tx
    .updateTable('elevation_requests')
    .set({ ...changes, status: to })
    .where('id', '=', id)
    .where('status', 'in', [...from])
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .returningAll()
    .executeTakeFirst();
}
