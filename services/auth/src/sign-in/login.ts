import type * as auth from '@claviger/contracts/auth/v1/auth';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { noteReason } from '../audit-reason.ts';
import { oneTimeCode } from '../mfa/one-time-code.ts';
import type { SignInDeps } from './deps.ts';
import { countFailure, mustWait } from './lockout.ts';
import { openSignInSession } from './open-sign-in-session.ts';
import { readAttempt, type SignInAttempt } from './read-attempt.ts';
import { signInAnswer } from './sign-in-answer.ts';

/**
 * Checks the password, then the second factor if the user has one. Unknown tenant or user, wrong password,
 * lock and disabled account get one answer after the same work: one hash and the same queries. Only the audit
 * log distinguishes them.
 */
export function login(deps: SignInDeps): Handler<typeof auth.AuthService.login> {
  return async (request, context) => {
    const code = request.code === '' ? undefined : oneTimeCode(request.code);
    const tried = await readAttempt(deps, request, code, context);
    const { stored, attempt, lockStatus, phc } = tried;
    if (stored) {
      context.auditActorId = stored.userId;
      context.auditActorName = stored.username;
      context.auditSubject = { type: 'user', id: stored.userId };
    }
    // Refuse before the hash and without regard to the password, so that an attempt during a wait reveals
    // nothing.
    if (lockStatus.waitSeconds > 0) throw mustWait(lockStatus.waitSeconds);
    // Verify also while the account is locked, so that the time does not reveal the lock.
    const matches = await deps.passwords.verify(phc, request.password);
    const lockedOut = lockStatus.lockedSeconds > 0 && attempt.kind === 'password';
    if (!matches || lockedOut || !stored || !tried.tenant) {
      const { locked } = await deps.database.withTenant(attempt.tenantId, (tx) => countFailure(tx, attempt));
      throw refused(context, reasonOf(tried, lockedOut, locked));
    }
    const rehashed = deps.passwords.isOutdated(phc!)
      ? await deps.passwords.hash(request.password)
      : undefined;
    const { secondFactorMandatory } = (await deps.settings.read(tried.tenant.id)).values.access;
    const verified = {
      tenant: tried.tenant,
      stored,
      attempt,
      secondFactorMandatory,
      rehashed,
      context,
      code,
    };
    const result = await deps.database.withTenant(attempt.tenantId, (tx) =>
      openSignInSession(deps, tx, verified),
    );
    if ('refusal' in result) {
      if (result.refusal instanceof ClavigerError) throw result.refusal;
      throw refused(context, result.refusal);
    }
    const { session, refreshToken, user, hasFactor } = result;
    return {
      ...(await signInAnswer(deps, session, refreshToken)),
      user,
      mfaRequired: session.mfaPending,
      mfaSetupRequired: session.mfaPending && !hasFactor,
    };
  };
}

/** The reason for the audit log only. */
function reasonOf({ tenant, stored, attempt }: SignInAttempt, lockedOut: boolean, locked: boolean): string {
  if (!tenant) return 'unknown_tenant';
  if (!stored) return 'unknown_user';
  if (lockedOut) return 'account_locked';
  if (attempt.kind === 'recovery') return 'wrong_password_or_recovery_code';
  return locked ? 'wrong_password_locked' : 'wrong_password';
}

function refused(context: CallContext, reason: string): ClavigerError {
  noteReason(context, reason);
  return new ClavigerError('unauthenticated', 'User name or password is wrong, or the account is locked.', {
    code: 'invalid_credentials',
    hint: 'Check both. While the account is locked, sign in from a known address, with a recovery code, or after 15 minutes.',
  });
}
