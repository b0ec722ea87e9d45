import { isClavigerError } from '@claviger/errors';
import { failpoint } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { BreakglassSessionRow } from './breakglass-schema.ts';
import type { BreakglassDeps } from './deps.ts';

/** Auth can take two seconds to notice that Redis is unavailable. */
const TIMEOUT_MS = 5_000;
const AGAIN_SECONDS = 5;
const again = sql<Date>`clock_timestamp() + make_interval(secs => ${AGAIN_SECONDS})`;
const callOf = (row: BreakglassSessionRow, requestId: string) => ({
  tenantId: row.tenant_id,
  requestId,
  timeoutMs: TIMEOUT_MS,
});

/**
 * Sends the state of a session to auth and the vault, and stores their confirmation. Throws the error of a
 * failed call; the due queue then repeats it. Returns the session as it is afterwards.
 */
export async function syncEmergency(
  deps: BreakglassDeps,
  row: BreakglassSessionRow,
  requestId: string,
): Promise<BreakglassSessionRow> {
  await failpoint(`workflow.breakglass.before_${row.sync_wanted ?? 'nothing'}`);
  switch (row.sync_wanted) {
    case 'place':
      return place(deps, row, requestId);
    case 'end':
      return end(deps, row, requestId);
    case null:
      return row;
    default:
      return row.sync_wanted satisfies never;
  }
}

/** Auth stores the restriction first; then the vault opens the access. */
async function place(
  deps: BreakglassDeps,
  row: BreakglassSessionRow,
  requestId: string,
): Promise<BreakglassSessionRow> {
  const call = callOf(row, requestId);
  const expiresAt = row.expires_at!.toISOString();
  const { id: sessionId, user_id: userId } = row;
  const { settled } = await deps.emergencyRestriction.applyEmergencyRestriction(
    { userId, sessionId, until: expiresAt },
    call,
  );
  try {
    await deps.emergency.placeEmergencySession(
      {
        sessionId,
        userId,
        allEntries: row.all_entries,
        entryIds: row.entry_ids,
        resourceIds: row.resource_ids,
        expiresAt,
      },
      call,
    );
  } catch (error) {
    // The session ended during the call: only the end remains to be sent.
    if (!isClavigerError(error) || error.code !== 'breakglass_ended') throw error;
  }
  return deps.database.withTenant(row.tenant_id, async (tx) => {
    const placed = await tx
      .updateTable('breakglass_sessions')
      .set({
        placed_at: sql<Date>`coalesce(placed_at, clock_timestamp())`,
        sync_attempts: 0,
        ...(settled ? { sync_wanted: null, next_sync_at: null } : { next_sync_at: again }),
      })
      .where('id', '=', row.id)
      .where('state', '=', 'active')
      .returningAll()
      .executeTakeFirst();
    if (placed) return placed;
    // The end may have been sent before this call arrived, so it is sent again.
    const ended = await tx
      .updateTable('breakglass_sessions')
      .set({ sync_wanted: 'end', next_sync_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', row.id)
      .returningAll()
      .executeTakeFirst();
    return ended ?? row;
  });
}

/** The vault closes the access first; then auth removes the restriction. */
async function end(
  deps: BreakglassDeps,
  row: BreakglassSessionRow,
  requestId: string,
): Promise<BreakglassSessionRow> {
  const call = callOf(row, requestId);
  const { id: sessionId, user_id: userId } = row;
  const told = await deps.emergency.endEmergencySession({ sessionId, cause: row.state }, call);
  const { settled } = await deps.emergencyRestriction.applyEmergencyRestriction(
    { userId, sessionId, until: undefined },
    call,
  );
  const known = await deps.database.withTenant(row.tenant_id, (tx) =>
    tx
      .updateTable('breakglass_sessions')
      .set({
        disclosed: told.disclosed,
        rotations_queued: told.rotationsQueued,
        rotations_impossible: told.rotationsImpossible,
        sync_attempts: 0,
        ...(settled ? { sync_wanted: null, next_sync_at: null } : { next_sync_at: again }),
      })
      .where('id', '=', row.id)
      .where('sync_wanted', '=', 'end')
      .returningAll()
      .executeTakeFirst(),
  );
  return known ?? row;
}
