import type { Tx } from '@claviger/database';
import type { ClavigerError } from '@claviger/errors';
import type { CallContext } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import type { AuthSchema } from '../schema.ts';
import {
  issueRefreshToken,
  lockSession,
  type SessionFacts,
  sessionEnded,
  stampSecondFactor,
} from '../sign-in/sessions-store.ts';
import { requirePerson } from '../users/standing.ts';
import { mfaRefused } from './mfa-errors.ts';
import { proveSecondFactor } from './prove-second-factor.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';

export interface Challenge {
  readonly session: SessionFacts;
  /** Empty when the session was full before: it has its refresh token. */
  readonly refreshToken: string;
  /** When a pending factor was confirmed. */
  readonly recoveryCodes: readonly string[];
}

/**
 * Proves a code for the actor's session: a pending session becomes a full one, a full one is stamped anew (step-up).
 * With `confirm`, a pending factor is confirmed by it. `also` runs in the same transaction.
 */
export async function challenge<T>(
  deps: AuthDeps,
  context: CallContext,
  code: string,
  confirm: boolean,
  also: (tx: Tx<AuthSchema>) => Promise<T>,
): Promise<Challenge & { also: T }> {
  requirePerson(context);
  const { tenantId, userId, sessionId } = context.actor;
  context.auditSubject = { type: 'user', id: userId };
  const result = await deps.database.withTenant(tenantId, async (tx) => {
    const session = await lockSession(tx, deps.config, sessionId);
    if (!session || session.ended) throw sessionEnded(session?.ended ?? 'session_revoked');
    const proof = await proveSecondFactor(deps, tx, tenantId, userId, code, {
      pendingToo: confirm,
    });
    if ('refused' in proof) return { refusal: mfaRefused(proof.refused) as ClavigerError };
    const stamped = await stampSecondFactor(tx, deps.config, session, proof.method);
    const refreshToken = session.mfaPending ? await issueRefreshToken(tx, tenantId, sessionId) : '';
    const recoveryCodes = proof.confirmedNow ? await replaceRecoveryCodes(tx, tenantId, userId) : [];
    await deps.emitter.audit(tx, context, {
      details: { method: proof.method, confirmed: proof.confirmedNow, stepUp: !session.mfaPending },
    });
    return { session: stamped, refreshToken, recoveryCodes, also: await also(tx) };
  });
  if ('refusal' in result) throw result.refusal;
  // Gateways that go on with the old picture refuse for a minute what is now allowed: a nuisance, no danger.
  await deps.liveness.raise([result.session]).catch((error: unknown) => {
    deps.logger.warn({ err: error }, 'gateways learn of a second factor with delay');
  });
  return result;
}
