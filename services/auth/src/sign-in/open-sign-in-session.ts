import type * as auth from '@claviger/contracts/auth/v1/auth';
import { isActiveTenant, type Tx } from '@claviger/database';
import type { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import { sql } from 'kysely';
import { hasConfirmedFactor } from '../mfa/factors-store.ts';
import { mfaRefused } from '../mfa/mfa-errors.ts';
import type { OneTimeCode } from '../mfa/one-time-code.ts';
import { proveSecondFactor } from '../mfa/prove-second-factor.ts';
import { credentialOfUser, type StoredCredential } from '../passwords/credentials-store.ts';
import type { AuthSchema } from '../schema.ts';
import { readUser } from '../users/users-store.ts';
import type { SignInDeps } from './deps.ts';
import { type Attempt, clearFailures, mustWait, readLockStatus } from './lockout.ts';
import { notePlace } from './places.ts';
import { issueRefreshToken, openSession, type SessionFacts } from './sessions-store.ts';
import type { TenantEntry } from './tenants-store.ts';

export interface VerifiedPassword {
  readonly tenant: TenantEntry;
  readonly stored: StoredCredential;
  readonly attempt: Attempt;
  readonly secondFactorMandatory: boolean;
  readonly rehashed: string | undefined;
  readonly context: CallContext;
  readonly code: OneTimeCode | undefined;
}

export type SignInResult =
  | { session: SessionFacts; refreshToken: string; user: auth.User | undefined; hasFactor: boolean }
  /** A text is the reason for the audit log; the answer says only that the sign-in failed. */
  | { refusal: string | ClavigerError };

/**
 * Opens a session after a correct password. Locks the user and checks everything again, because the user may
 * have changed while the hash was computed.
 */
export async function openSignInSession(
  deps: SignInDeps,
  tx: Tx<AuthSchema>,
  verified: VerifiedPassword,
): Promise<SignInResult> {
  const { tenant, stored, attempt, context, code } = verified;
  const { userId } = stored;
  const recovers = attempt.kind === 'recovery';
  // Before any lock: either a concurrent suspension waits for this sign-in, or this sign-in sees it.
  if (!tenant.active || !(await isActiveTenant(tx))) return { refusal: 'tenant_suspended' };
  const user = await tx
    .selectFrom('users')
    .select(['status', 'epoch', 'deleted_at'])
    .where('id', '=', userId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const credential = await credentialOfUser(tx, userId);
  const lockStatus = await readLockStatus(tx, attempt);
  if (lockStatus.waitSeconds > 0) return { refusal: mustWait(lockStatus.waitSeconds) };
  if (lockStatus.lockedSeconds > 0 && !recovers) return { refusal: 'account_locked' };
  if (!user || user.deleted_at || user.status !== 'active') return { refusal: 'account_disabled' };
  if (credential?.phc !== stored.phc) return { refusal: 'password_changed_meanwhile' };

  const amr = ['pwd'];
  const hasFactor = await hasConfirmedFactor(tx, userId);
  if ((hasFactor || recovers) && code) {
    const { tenantId, place } = attempt;
    const proof = await proveSecondFactor(deps, tx, { tenantId, userId, place }, code);
    if ('refused' in proof) return { refusal: recovers ? 'wrong_recovery_code' : mfaRefused(proof) };
    amr.push(proof.method);
  }
  const mfaPending = (hasFactor || verified.secondFactorMandatory) && amr.length === 1;
  await clearFailures(tx, userId, ['password', 'recovery'], attempt.place);
  if (!mfaPending) await notePlace(tx, tenant.id, userId, attempt.place);
  if (verified.rehashed) {
    await tx
      .updateTable('credentials')
      .set({ phc: verified.rehashed })
      .where('user_id', '=', userId)
      .execute();
  }
  const session = await openSession(tx, deps.config, {
    tenantId: tenant.id,
    userId,
    userEpoch: user.epoch,
    amr,
    mfaPending,
  });
  await tx.updateTable('users').set({ last_login_at: sql`now()` }).where('id', '=', userId).execute();
  const refreshToken = mfaPending ? '' : await issueRefreshToken(tx, tenant.id, session.sessionId);
  await deps.emitter.audit(tx, context, {
    subject: { type: 'session', id: session.sessionId },
    details: { username: stored.username, amr, mfaPending },
  });
  return { session, refreshToken, user: mfaPending ? undefined : await readUser(tx, userId), hasFactor };
}
