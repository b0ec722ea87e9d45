import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';
import { notePlace, placeOf } from '../sign-in/places.ts';
import {
  endSessionsOfUser,
  issueRefreshToken,
  lockSession,
  lockSessionsOfUser,
  replaceSession,
  type SessionFacts,
  sessionEnded,
} from '../sign-in/sessions-store.ts';
import { requirePerson } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import type { MfaDeps } from './deps.ts';
import { mfaRefused } from './mfa-errors.ts';
import { oneTimeCode } from './one-time-code.ts';
import { proveSecondFactor } from './prove-second-factor.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';

export interface Challenge {
  /** The new session, which replaces the actor's session. */
  readonly session: SessionFacts;
  readonly refreshToken: string;
  /** Set if a pending factor was confirmed. */
  readonly recoveryCodes: readonly string[];
}

/**
 * Verifies a code for the actor's session and replaces the session with one of a new id. Its privileges rise,
 * so the former access and refresh tokens end. With `confirm`, the code confirms a pending factor and ends
 * every other session of the person. `also` runs in the same transaction.
 */
export async function challenge<T>(
  deps: MfaDeps,
  context: CallContext,
  given: string,
  confirm: boolean,
  also: (tx: Tx<AuthSchema>) => Promise<T>,
): Promise<Challenge & { also: T }> {
  requirePerson(context);
  const { tenantId, userId, sessionId } = context.actor;
  const place = placeOf(context);
  context.auditSubject = { type: 'user', id: userId };
  const code = oneTimeCode(given);
  const result = await deps.database.withTenant(tenantId, async (tx) => {
    if (confirm) {
      // The common lock order locks user and sessions before the factor: a challenge in another session holds
      // its session while it waits for the factor.
      await lockUser(tx, userId);
      await lockSessionsOfUser(tx, userId);
    }
    const before = await lockSession(tx, deps.config, sessionId);
    if (!before || before.ended) throw sessionEnded(before?.ended ?? 'session_revoked');
    const proof = await proveSecondFactor(deps, tx, { ...before, place }, code, { pendingToo: confirm });
    if ('refused' in proof) return { refusal: mfaRefused(proof) };
    const session = await replaceSession(tx, deps.config, before, proof.method);
    // The sign-in is complete only after the second factor.
    if (before.mfaPending) await notePlace(tx, tenantId, userId, place);
    const refreshToken = await issueRefreshToken(tx, tenantId, session.sessionId);
    const { revoked } = proof.confirmedNow
      ? await endSessionsOfUser(tx, userId, 'factor-added', {
          exceptSessionId: session.sessionId,
          keepApiTokens: true,
        })
      : { revoked: [sessionId] };
    const recoveryCodes = proof.confirmedNow ? await replaceRecoveryCodes(tx, tenantId, userId) : [];
    await deps.emitter.audit(tx, context, {
      details: {
        method: proof.method,
        confirmed: proof.confirmedNow,
        stepUp: !before.mfaPending,
        sessionId: session.sessionId,
        replacedSessionId: sessionId,
      },
    });
    const done = { session, refreshToken, recoveryCodes, also: await also(tx) };
    await notifyGateways(deps, revoked, before.mfaPending && !proof.confirmedNow);
    return done;
  });
  if ('refusal' in result) throw result.refusal;
  return result;
}

/**
 * Notifies gateways before the commit: if that fails, nothing is stored, the code stays unused, and the
 * client repeats the call. Optional for a session without its second factor, which gateways introspect at
 * each call: signing in must not depend on Redis.
 */
async function notifyGateways(
  deps: MfaDeps,
  sessionIds: readonly string[],
  optional: boolean,
): Promise<void> {
  try {
    await deps.liveness.revoke(sessionIds);
  } catch (error) {
    if (!optional) {
      throw new ClavigerError(
        'unavailable',
        'Gateways cannot be notified of the new session; nothing was changed.',
        {
          cause: error,
          retryAfterSeconds: 2,
          hint: 'Send the same code again.',
        },
      );
    }
    deps.logger.warn({ err: error }, 'gateways were not notified of a replaced session');
  }
}
