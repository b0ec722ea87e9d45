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
import { requirePerson } from '../users/standing.ts';
import { lockUser } from '../users/users-store.ts';
import type { MfaDeps } from './deps.ts';
import { mfaRefused } from './mfa-errors.ts';
import { oneTimeCode } from './one-time-code.ts';
import { proveSecondFactor } from './prove-second-factor.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';

export interface Challenge {
  /** The new session: it takes the place of the actor's. */
  readonly session: SessionFacts;
  readonly refreshToken: string;
  /** When a pending factor was confirmed. */
  readonly recoveryCodes: readonly string[];
}

/**
 * Proves a code for the actor's session. Its rights rise, so a session with a new id takes its place: the access token
 * and the refresh tokens that were issued before are dead. With `confirm`, a pending factor is confirmed by the code,
 * and every other session of the person ends. `also` runs in the same transaction.
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
      // In the common order, before the factor: a challenge in another session may wait for it.
      await lockUser(tx, userId);
      await lockSessionsOfUser(tx, userId);
    }
    const before = await lockSession(tx, deps.config, sessionId);
    if (!before || before.ended) throw sessionEnded(before?.ended ?? 'session_revoked');
    const proof = await proveSecondFactor(deps, tx, { ...before, place }, code, { pendingToo: confirm });
    if ('refused' in proof) return { refusal: mfaRefused(proof) };
    const session = await replaceSession(tx, deps.config, before, proof.method);
    // Only now the sign-in has succeeded.
    if (before.mfaPending) await notePlace(tx, tenantId, userId, place);
    const refreshToken = await issueRefreshToken(tx, tenantId, session.sessionId);
    const { tell } = proof.confirmedNow
      ? await endSessionsOfUser(tx, userId, 'factor-added', {
          exceptSessionId: session.sessionId,
          keepApiTokens: true,
        })
      : { tell: [sessionId] };
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
    await tellGateways(deps, tell, before.mfaPending && !proof.confirmedNow);
    return done;
  });
  if ('refusal' in result) throw result.refusal;
  return result;
}

/**
 * Before the commit: when gateways cannot be told, nothing has happened, the code is not spent, and the caller repeats.
 * A session that owes its factor is asked about at each call (`fresh`), so that no gateway goes on with it: signing in
 * does not depend on Redis.
 */
async function tellGateways(deps: MfaDeps, sessionIds: readonly string[], optional: boolean): Promise<void> {
  try {
    await deps.liveness.revoke(sessionIds);
  } catch (error) {
    if (!optional) {
      throw new ClavigerError(
        'unavailable',
        'Gateways cannot be told of the new session; nothing was changed.',
        {
          cause: error,
          retryAfterSeconds: 2,
          hint: 'Send the same code again.',
        },
      );
    }
    deps.logger.warn({ err: error }, 'gateways were not told of a session that was replaced');
  }
}
