import type { Tx } from '@claviger/database';
import type { AuthDeps } from '../deps.ts';
import type { AuthSchema } from '../schema.ts';
import { type Attempt, countFailure, standingOfAttempt, WINDOW_MINUTES } from '../sign-in/lockout.ts';
import { type Factor, lockFactor, spendStep } from './factors-store.ts';
import type { Refused } from './mfa-errors.ts';
import { isRecoveryCode, spendRecoveryCode } from './recovery-codes.ts';
import { matchingStep } from './totp.ts';

export type Proof =
  /** `confirmedNow`: this code confirmed a pending factor. */
  { readonly method: 'otp' | 'recovery'; readonly confirmedNow: boolean } | Refused;

const SIX_DIGITS = /^[0-9]{6}$/;

/**
 * Checks a code of the user and spends it. With `pendingToo`, it confirms a factor that this very session made.
 * Wrong codes count per user over all challenges and nodes. A refusal is an answer, not an exception, so that the
 * caller's transaction commits the count.
 */
export async function proveSecondFactor(
  deps: AuthDeps,
  tx: Tx<AuthSchema>,
  by: { tenantId: string; userId: string; place: string; sessionId?: string },
  code: string,
  options: { pendingToo?: boolean } = {},
): Promise<Proof> {
  const { tenantId, userId, sessionId, place } = by;
  // A recovery code is no guess, and helps against a lock: it counts apart.
  const kind = isRecoveryCode(code) ? 'recovery' : 'mfa';
  const attempt: Attempt = { tenantId, kind, subject: userId, userId, place };
  const factor = await lockFactor(deps, tx, tenantId, userId);
  try {
    if (!factor) return { refused: 'no_factor' };
    const confirmable = options.pendingToo && sessionId !== undefined && factor.setUpIn === sessionId;
    if (!factor.confirmed && !confirmable) return { refused: 'no_factor' };
    const { waitSeconds, locked } = await standingOfAttempt(tx, attempt);
    if (waitSeconds > 0 || locked)
      return { refused: 'locked', waitSeconds: waitSeconds || WINDOW_MINUTES * 60 };
    const proof = await check(tx, factor, userId, code);
    // A code that was right once gives nothing to a guesser: it does not count.
    if ('refused' in proof && proof.refused !== 'used') await countFailure(tx, attempt);
    return proof;
  } finally {
    factor?.secret.fill(0);
  }
}

async function check(tx: Tx<AuthSchema>, factor: Factor, userId: string, code: string): Promise<Proof> {
  if (SIX_DIGITS.test(code)) {
    const step = matchingStep(factor.secret, code, Date.now() / 1000);
    if (step === undefined) return { refused: 'wrong' };
    if (!(await spendStep(tx, factor.id, step))) return { refused: 'used' };
    return { method: 'otp', confirmedNow: !factor.confirmed };
  }
  if (!isRecoveryCode(code)) return { refused: 'malformed' };
  const spent = factor.confirmed && (await spendRecoveryCode(tx, userId, code));
  return spent ? { method: 'recovery', confirmedNow: false } : { refused: 'wrong' };
}
