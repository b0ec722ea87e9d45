import type { ElevationStatus } from './elevation-schema.ts';

/** The transitions between statuses. `expire` is caused by the clock. */
export type Move = 'approve' | 'deny' | 'actuate' | 'claim' | 'revoke' | 'expire';

const ACTIVE: readonly ElevationStatus[] = ['approved', 'auto_approved', 'actuating'];
const WAITING_FOR_USE: readonly ElevationStatus[] = ['approved', 'auto_approved'];

const MOVES: Readonly<Record<Move, { from: readonly ElevationStatus[]; to: ElevationStatus }>> = {
  approve: { from: ['pending'], to: 'approved' },
  deny: { from: ['pending'], to: 'denied' },
  actuate: { from: WAITING_FOR_USE, to: 'actuating' },
  claim: { from: WAITING_FOR_USE, to: 'actuating' },
  revoke: { from: ACTIVE, to: 'revoked' },
  expire: { from: ['pending', ...ACTIVE], to: 'expired' },
};

/** The statuses in which a move is possible, and its result. */
export function moveOf(move: Move): {
  readonly from: readonly ElevationStatus[];
  readonly to: ElevationStatus;
} {
  return MOVES[move];
}

/**
 * The status as it is shown: an elevation past its end has expired, even before the sweep updates its row.
 */
export function statusAt(
  row: { readonly status: ElevationStatus; readonly expires_at: Date | null },
  nowMs: number,
): ElevationStatus {
  const isOver = row.expires_at !== null && nowMs >= row.expires_at.getTime();
  return isOver && MOVES.expire.from.includes(row.status) ? 'expired' : row.status;
}

export type Refusal = 'wrong_status' | 'race_lost';

/**
 * The reason to refuse a move in this status; undefined if the move is possible. An elevation in `actuating`
 * was taken by another call.
 */
export function refusalOf(move: Move, status: ElevationStatus): Refusal | undefined {
  if (MOVES[move].from.includes(status)) return undefined;
  return (move === 'actuate' || move === 'claim') && status === 'actuating' ? 'race_lost' : 'wrong_status';
}
