import { rowMapper } from '@claviger/contracts';
import type * as breakglass from '@claviger/contracts/workflow/v1/breakglass';
import type { BreakglassSessionRow, BreakglassState } from './breakglass-schema.ts';

/** The state as it is shown: a session past its time has ended, even before the sweep updates its row. */
export function stateAt(
  row: Pick<BreakglassSessionRow, 'state' | 'expires_at' | 'confirm_until'>,
  nowMs: number,
): BreakglassState {
  if (row.state === 'active' && nowMs >= row.expires_at!.getTime()) return 'expired';
  if (row.state === 'awaiting-confirmation' && nowMs >= row.confirm_until.getTime()) return 'lapsed';
  return row.state;
}

const mapBreakglassSession = rowMapper<breakglass.BreakglassSession>(
  'claviger.workflow.v1.BreakglassSession',
);

export function sessionMessage(row: BreakglassSessionRow, nowMs: number): breakglass.BreakglassSession {
  const state = stateAt(row, nowMs);
  const endedAt =
    row.ended_at ??
    (state === 'expired' ? row.expires_at : state === 'lapsed' ? row.confirm_until : undefined);
  return mapBreakglassSession({
    ...row,
    state,
    confirmed_by_id: row.confirmed_by,
    ended_at: endedAt,
    disclosures: [],
  });
}
