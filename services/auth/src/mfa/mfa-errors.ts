import { ClavigerError } from '@claviger/errors';

export type Refused =
  | { readonly refused: 'wrong' | 'used' | 'no_factor' }
  | { readonly refused: 'locked'; readonly waitSeconds: number };

/** What the caller is told of a refused code. */
export function mfaRefused(refusal: Refused): ClavigerError {
  switch (refusal.refused) {
    case 'wrong':
      return new ClavigerError('unauthenticated', 'The code is wrong.', {
        code: 'mfa_code_invalid',
        hint: 'Take the code that the authenticator shows now, and check the clock of the device.',
      });
    case 'used':
      return new ClavigerError('unauthenticated', 'This code was used before.', {
        code: 'mfa_code_used',
        hint: 'Wait for the next code.',
      });
    case 'locked':
      return new ClavigerError('rate_limited', 'Too many wrong codes.', {
        code: 'mfa_locked',
        retryAfterSeconds: refusal.waitSeconds,
        hint: `Try again in ${refusal.waitSeconds} seconds, or use a recovery code.`,
      });
    case 'no_factor':
      return new ClavigerError('conflict', 'There is no second factor to prove.', {
        code: 'mfa_not_set_up',
        hint: 'Start with GET /api/v1/auth/mfa/setup.',
      });
  }
}

/** Of a session that has to prove its second factor before it may do anything else. */
export function owesFactor(): ClavigerError {
  return new ClavigerError('unauthenticated', 'This session still owes its second factor.', {
    code: 'mfa_required',
    hint: 'Complete it with POST /api/v1/auth/mfa/challenge.',
  });
}
