import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { BreakglassSessionRow, BreakglassState } from './breakglass-schema.ts';

/** The state as anyone sees it: a session past its time has ended, whether or not that was written down. */
export function stateAt(
  row: Pick<BreakglassSessionRow, 'state' | 'expires_at' | 'confirm_until'>,
  nowMs: number,
): BreakglassState {
  if (row.state === 'active' && nowMs >= row.expires_at!.getTime()) return 'expired';
  if (row.state === 'awaiting-confirmation' && nowMs >= row.confirm_until.getTime()) return 'lapsed';
  return row.state;
}

export function sessionMessage(row: BreakglassSessionRow, nowMs: number): breakglass.BreakglassSession {
  const state = stateAt(row, nowMs);
  const endedAt =
    row.ended_at ??
    (state === 'expired' ? row.expires_at : state === 'lapsed' ? row.confirm_until : undefined);
  return {
    id: row.id,
    state,
    userId: row.user_id,
    userName: row.user_name,
    reason: row.reason,
    allEntries: row.all_entries,
    entryIds: row.entry_ids,
    resourceIds: row.resource_ids,
    durationMinutes: row.duration_minutes,
    openedBy: row.opened_by,
    confirmedById: row.confirmed_by ?? '',
    confirmedByName: row.confirmed_by_name,
    requestedAt: row.requested_at.toISOString(),
    activatedAt: row.activated_at?.toISOString(),
    expiresAt: row.expires_at?.toISOString(),
    endedAt: endedAt?.toISOString(),
    endedByName: row.ended_by_name,
    endReason: row.end_reason,
    disclosed: row.disclosed,
    rotationsQueued: row.rotations_queued,
    rotationsImpossible: row.rotations_impossible,
    review: row.review,
    reviewedByName: row.reviewed_by_name,
    reviewedAt: row.reviewed_at?.toISOString(),
    disclosures: [],
  };
}
