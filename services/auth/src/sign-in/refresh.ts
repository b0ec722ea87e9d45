import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, failpoint, type Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { secondFactorRequired } from '../mfa/mfa-errors.ts';
import type { AuthSchema } from '../schema.ts';
import { readUser } from '../users/users-store.ts';
import { readRefreshToken } from './bearer-secrets.ts';
import type { SignInDeps } from './deps.ts';
import {
  endSession,
  issueRefreshToken,
  type LockedSession,
  lockSession,
  sessionEnded,
} from './sessions-store.ts';
import { signInAnswer } from './sign-in-answer.ts';

/** A token that is reused within this time is not treated as stolen: the client may have lost the answer. */
const REUSE_GRACE_SECONDS = 10;

/**
 * Rotates the refresh token of a session, or issues one to the holder of a valid access token. A reused token
 * means that two parties have it, so the session ends. A refresh never changes how or when the session was
 * authenticated.
 */
export function refresh(deps: SignInDeps): Handler<typeof auth.AuthService.refresh> {
  return async (request, context) => {
    const byToken = request.refreshToken !== '';
    const presented = byToken ? readRefreshToken(request.refreshToken) : undefined;
    const tenantId = byToken ? presented?.tenantId : context.actorIfAny?.tenantId;
    if (!tenantId) throw refusedToken();
    const { secondFactorMandatory } = (await deps.settings.read(tenantId)).values.access;
    const result = await deps.database.withTenant(tenantId, async (tx) => {
      const session = await (presented
        ? sessionOfToken(deps, tx, presented.hash)
        : lockSession(tx, deps.config, context.actor.sessionId));
      // An unknown token creates no event in the tenant that it names.
      if (session?.kind !== 'user') return { refusal: refusedToken() };
      context.auditTenantId = tenantId;
      context.auditActorId = session.userId;
      context.auditActorName = session.username;
      context.auditSubject = { type: 'session', id: session.sessionId };
      if (session.ended) return { refusal: sessionEnded(session.ended) };
      if (session.mfaPending) return { refusal: secondFactorRequired() };
      if (secondFactorMandatory && session.amr.length < 2) return { refusal: factorBecameMandatory() };
      const refusal = presented && (await spend(deps, tx, context, session, presented.hash));
      if (refusal) return refusal;
      if (!presented) await spendAll(tx, session.sessionId);
      const refreshToken = await issueRefreshToken(tx, tenantId, session.sessionId);
      await tx
        .updateTable('sessions')
        .set({ last_seen_at: sql`now()` })
        .where('id', '=', session.sessionId)
        .execute();
      await deps.emitter.audit(tx, context, { details: { by: presented ? 'refresh-token' : 'bearer' } });
      await failpoint('auth.refresh.before_commit');
      return { session, refreshToken, user: await readUser(tx, session.userId) };
    });
    await failpoint('auth.refresh.after_commit');
    if ('refusal' in result) {
      if ('revoked' in result && result.revoked) await deps.liveness.revoke([result.revoked]);
      throw result.refusal;
    }
    return { ...(await signInAnswer(deps, result.session, result.refreshToken)), user: result.user };
  };
}

/** Locks the session first, so that concurrent refreshes and revocations of one session are serialised. */
async function sessionOfToken(
  deps: SignInDeps,
  tx: Tx<AuthSchema>,
  hash: Buffer,
): Promise<LockedSession | undefined> {
  const row = await tx
    .selectFrom('refresh_tokens')
    .select('session_id')
    .where('token_hash', '=', hash)
    .executeTakeFirst();
  return row && lockSession(tx, deps.config, row.session_id);
}

async function spend(
  deps: SignInDeps,
  tx: Tx<AuthSchema>,
  context: CallContext,
  session: LockedSession,
  hash: Buffer,
): Promise<{ refusal: ClavigerError; revoked?: string } | undefined> {
  const spent = await tx
    .updateTable('refresh_tokens')
    .set({ used_at: sql`now()` })
    .where('token_hash', '=', hash)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  if (spent.numUpdatedRows > 0n) return undefined;
  const row = await tx
    .selectFrom('refresh_tokens')
    .select(
      sql<boolean>`used_at > clock_timestamp() - make_interval(secs => ${REUSE_GRACE_SECONDS})`.as('recent'),
    )
    .where('token_hash', '=', hash)
    .executeTakeFirstOrThrow();
  if (row.recent) {
    return {
      refusal: new ClavigerError('conflict', 'This refresh token was used a moment ago.', {
        code: 'refresh_in_progress',
        hint: 'Use the tokens of the first answer, or sign in again.',
      }),
    };
  }
  await endSession(tx, session.sessionId, 'refresh-token-reused');
  await deps.emitter.audit(tx, context, {
    action: 'auth.refresh.reused',
    outcome: 'denied',
    reason: 'refresh_token_reused',
    subject: { type: 'session', id: session.sessionId },
  });
  return {
    revoked: session.sessionId,
    refusal: new ClavigerError(
      'unauthenticated',
      'This refresh token was used before; the session has ended.',
      {
        code: 'refresh_token_reused',
        hint: 'Sign in again. If you did not use it, change your password.',
      },
    ),
  };
}

/** A refresh by access token ends the refresh token of the session, which the client may have lost. */
async function spendAll(tx: Tx<AuthSchema>, sessionId: string): Promise<void> {
  await tx
    .updateTable('refresh_tokens')
    .set({ used_at: sql`now()` })
    .where('session_id', '=', sessionId)
    .where('used_at', 'is', null)
    .execute();
}

function refusedToken(): ClavigerError {
  return new ClavigerError('unauthenticated', 'A valid refresh token or access token is required.', {
    code: 'token_invalid',
    hint: 'Sign in again.',
  });
}

/**
 * The error for a session that has no second factor after one became mandatory. Proving a second factor
 * replaces the session.
 */
function factorBecameMandatory(): ClavigerError {
  return new ClavigerError(
    'unauthenticated',
    'A second factor is now mandatory, and this session has none.',
    {
      code: 'step_up_required',
      hint: 'Set one up with GET /api/v1/auth/mfa/setup and prove it, or sign in again.',
    },
  );
}
