import type { ElevationStatus } from './elevation-schema.ts';

/** What moves an elevation from one status to another. `expire` is the clock. */
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

/** The statuses from which a move leads, and where to. */
export function moveOf(move: Move): {
  readonly from: readonly ElevationStatus[];
  readonly to: ElevationStatus;
} {
  return MOVES[move];
}

/** The status as anyone sees it: what has passed its time has expired, whether or not that was written down. */
export function statusAt(
  row: { readonly status: ElevationStatus; readonly expires_at: Date | null },
  nowMs: number,
): ElevationStatus {
  const isOver = row.expires_at !== null && nowMs >= row.expires_at.getTime();
  return isOver && MOVES.expire.from.includes(row.status) ? 'expired' : row.status;
}

export type Refusal = 'wrong_status' | 'race_lost';

/**
 * Why a move is refused for an elevation that was read in this status; undefined when it fits. An elevation that is being
 * actuated already has been taken by somebody else.
 */
export function refusalOf(move: Move, status: ElevationStatus): Refusal | undefined {
  if (MOVES[move].from.includes(status)) return undefined;
  return (move === 'actuate' || move === 'claim') && status === 'actuating' ? 'race_lost' : 'wrong_status';
}
