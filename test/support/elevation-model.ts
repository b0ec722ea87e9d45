/** A call on an elevation and its answer: `ok` or the code of the refusal. */
export interface Call {
  readonly move: 'approve' | 'deny' | 'revoke' | 'actuate';
  readonly code: string;
}

export type State = 'pending' | 'approved' | 'denied' | 'revoked' | 'actuating';

export const FITS: Record<Call['move'], readonly State[]> = {
  approve: ['pending'],
  deny: ['pending'],
  actuate: ['approved'],
  revoke: ['approved', 'actuating'],
};

const TO: Record<Call['move'], State> = {
  approve: 'approved',
  deny: 'denied',
  actuate: 'actuating',
  revoke: 'revoked',
};

/**
 * The next state if a single thread would give this answer, else undefined. Independent of the service's
 * code.
 */
export function step(state: State, { move, code }: Call): State | undefined {
  const fits = FITS[move].includes(state);
  if (code === 'ok') return fits ? TO[move] : undefined;
  if (fits) return undefined;
  if (code === 'race_lost') return state;
  if (code !== 'wrong_status') return undefined;
  return move === 'actuate' && state === 'actuating' ? undefined : state;
}
