import { anyOf, requireActiveTenant, type Tx } from '@claviger/database';
import { sql, type UpdateObject } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { type Move, moveOf } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';

/** The present, as rows keep it; also after a wait for a lock. */
export const present = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;

/** Until when an approval of so many minutes holds; that of a tool at most as long as the tool waits. */
export function approvedUntil(minutes: number, executionExpiresAt: Date | null) {
  return sql<Date>`least(${present} + make_interval(mins => ${minutes}::int), ${executionExpiresAt}::timestamptz)`;
}

/** What only who still waits for it can use. A revocation is never late. */
const ENDS_WITH_THE_WAIT: ReadonlySet<Move> = new Set(['approve', 'deny', 'claim']);

/**
 * Moves an elevation if, at this very moment by the database's clock, it is in a status that allows it: one conditional
 * statement. Answers the row as it then is; undefined when somebody else was faster or its time is over. Throws unless the
 * tenant is active at this moment: whatever is moved, but taken back, after a suspension would outlive it.
 */
export async function moveElevation(
  tx: Tx<WorkflowSchema>,
  id: string,
  move: Exclude<Move, 'expire'>,
  changes: Omit<UpdateObject<WorkflowSchema, 'elevation_requests', 'elevation_requests'>, 'status'> = {},
): Promise<ElevationRow | undefined> {
  const { from, to } = moveOf(move);
  if (move !== 'revoke') await requireActiveTenant(tx);
  return tx
    .updateTable('elevation_requests')
    .set({ ...changes, status: to })
    .where('id', '=', id)
    .where('status', '=', anyOf(from, 'text'))
    .where('expires_at', '>', sql<Date>`clock_timestamp()`)
    .$if(ENDS_WITH_THE_WAIT.has(move), (query) =>
      query.where(sql<boolean>`(execution_expires_at IS NULL OR execution_expires_at > clock_timestamp())`),
    )
    .returningAll()
    .executeTakeFirst();
}
