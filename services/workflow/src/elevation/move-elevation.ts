import { anyOf, requireActiveTenant, type Tx } from '@claviger/database';
import { sql, type UpdateObject } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';
import { type Move, moveOf } from './elevation-machine.ts';
import type { ElevationRow } from './elevation-schema.ts';

/**
 * The current time with the precision of stored rows. Unlike `now()`, it is current after a wait for a lock.
 */
export const present = sql<Date>`date_trunc('milliseconds', clock_timestamp())`;

/** The end of an approval for this many minutes; for a tool, at most the end of its waiting time. */
export function approvedUntil(minutes: number, executionExpiresAt: Date | null) {
  return sql<Date>`least(${present} + make_interval(mins => ${minutes}::int), ${executionExpiresAt}::timestamptz)`;
}

/** Moves that are useful only while the tool waits. A revocation is always possible. */
const ENDS_WITH_THE_WAIT: ReadonlySet<Move> = new Set(['approve', 'deny', 'claim']);

/**
 * Moves an elevation in one conditional statement, if its status allows it now by the database's clock.
 * Returns the row afterwards; undefined if a concurrent call moved it or its end has passed. Throws unless
 * the tenant is active now, except for revocations: an elevation must not outlive a suspension.
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
