import type { Tx } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import { type Attempt, countFailure, readLockStatus } from '../sign-in/lockout.ts';
import type { MfaDeps } from './deps.ts';
import { type Factor, lockFactor, spendStep } from './factors-store.ts';
import type { Refused } from './mfa-errors.ts';
import type { OneTimeCode } from './one-time-code.ts';
import { spendRecoveryCode } from './recovery-codes.ts';
import { matchingStep } from './totp.ts';

export type Proof =
  /** `confirmedNow`: this code confirmed a pending factor. */
  { readonly method: 'otp' | 'recovery'; readonly confirmedNow: boolean } | Refused;

/**
 * Checks a code of the user and marks it as used. With `pendingToo`, it confirms a factor that the same
 * session created. Wrong codes are counted per user over all challenges and replicas. A refusal is returned,
 * not thrown, so that the caller's transaction commits the count.
 */
export async function proveSecondFactor(
  deps: MfaDeps,
  tx: Tx<AuthSchema>,
  by: { tenantId: string; userId: string; place: string; sessionId?: string },
  code: OneTimeCode,
  options: { pendingToo?: boolean } = {},
): Promise<Proof> {
  const { tenantId, userId, sessionId, place } = by;
  // Recovery codes are counted separately: they cannot be guessed and must work while the account is locked.
  const kind = code.kind === 'recovery' ? 'recovery' : 'mfa';
  const attempt: Attempt = { tenantId, kind, subject: userId, userId, place };
  const factor = await lockFactor(deps, tx, tenantId, userId);
  try {
    if (!factor) return { refused: 'no_factor' };
    const confirmable = options.pendingToo && sessionId !== undefined && factor.setUpIn === sessionId;
    if (!factor.confirmed && !confirmable) return { refused: 'no_factor' };
    const { waitSeconds, lockedSeconds } = await readLockStatus(tx, attempt);
    const restSeconds = Math.max(waitSeconds, lockedSeconds);
    if (restSeconds > 0) return { refused: 'locked', waitSeconds: restSeconds };
    const proof = await check(tx, factor, userId, code);
    // A used code was right once, so it gives a guesser no information and is not counted.
    if ('refused' in proof && proof.refused !== 'used') await countFailure(tx, attempt);
    return proof;
  } finally {
    factor?.secret.fill(0);
  }
}

async function check(tx: Tx<AuthSchema>, factor: Factor, userId: string, code: OneTimeCode): Promise<Proof> {
  if (code.kind === 'otp') {
    const step = matchingStep(factor.secret, code.text, Date.now() / 1000);
    if (step === undefined) return { refused: 'wrong' };
    if (!(await spendStep(tx, factor.id, step))) return { refused: 'used' };
    return { method: 'otp', confirmedNow: !factor.confirmed };
  }
  const spent = factor.confirmed && (await spendRecoveryCode(tx, userId, code.text));
  return spent ? { method: 'recovery', confirmedNow: false } : { refused: 'wrong' };
}
