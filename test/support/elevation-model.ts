/** What somebody tried on an elevation, and the answer: `ok` or the code of the refusal. */
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

/** The next state where one thread would have answered so, written apart from the service; undefined where it would not. */
export function step(state: State, { move, code }: Call): State | undefined {
  const fits = FITS[move].includes(state);
  if (code === 'ok') return fits ? TO[move] : undefined;
  if (fits) return undefined;
  if (code === 'race_lost') return state;
  if (code !== 'wrong_status') return undefined;
  return move === 'actuate' && state === 'actuating' ? undefined : state;
}
