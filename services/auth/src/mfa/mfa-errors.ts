import { ClavigerError } from '@claviger/errors';

export type Refused =
  | { readonly refused: 'wrong' | 'used' | 'no_factor' }
  | { readonly refused: 'locked'; readonly waitSeconds: number };

/** Returns the error for a refused code. */
export function mfaRefused(refusal: Refused): ClavigerError {
  switch (refusal.refused) {
    case 'wrong':
      return new ClavigerError('unauthenticated', 'The code is wrong.', {
        code: 'mfa_code_invalid',
        hint: 'Use the code that the authenticator shows now, and check the clock of the device.',
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
      return new ClavigerError('conflict', 'The user has no second factor.', {
        code: 'mfa_not_set_up',
        hint: 'Set one up with GET /api/v1/auth/mfa/setup.',
      });
  }
}

/** The error for a session that requires its second factor before any other operation. */
export function secondFactorRequired(): ClavigerError {
  return new ClavigerError('unauthenticated', 'This session requires its second factor.', {
    code: 'mfa_required',
    hint: 'Complete it with POST /api/v1/auth/mfa/challenge.',
  });
}
