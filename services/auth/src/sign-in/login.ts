import type { auth } from '@claviger/contracts';
import { isActiveTenant, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { noteReason } from '../audit-reason.ts';
import type { AuthDeps } from '../deps.ts';
import { hasConfirmedFactor } from '../mfa/factors-store.ts';
import { mfaRefused } from '../mfa/mfa-errors.ts';
import { proveSecondFactor } from '../mfa/prove-second-factor.ts';
import { canonicalLogin } from '../passwords/canonical-login.ts';
import {
  credentialByLogin,
  credentialOfUser,
  type StoredCredential,
} from '../passwords/credentials-store.ts';
import type { AuthSchema } from '../schema.ts';
import { readUser } from '../users/users-store.ts';
import { clearFailures, countFailure, lockedNow } from './lockout.ts';
import { issueRefreshToken, openSession, type SessionFacts } from './sessions-store.ts';
import { signInAnswer } from './sign-in-answer.ts';
import { findTenant, type TenantEntry } from './tenants-store.ts';

/**
 * Password, then second factor where there is one. Unknown tenant or user, wrong password, lock and disabled account
 * get one answer and cost one hash; only the audit log tells them apart.
 */
export function login(deps: AuthDeps): Handler<(typeof auth.AuthServiceService)['login']> {
  return async (request, context) => {
    const canonical = canonicalLogin(request.username);
    const tenant = await findTenant(deps.database, request.tenant);
    if (!tenant) {
      await deps.passwords.verify(undefined, request.password);
      deps.logger.info({ requestId: context.requestId }, 'sign-in to an unknown tenant refused');
      throw invalidCredentials();
    }
    context.auditTenantId = tenant.id;
    const { stored, subject, locked } = await deps.database.readTenant(tenant.id, async (reader) => {
      const found = await credentialByLogin(reader, canonical);
      const counted = found?.userId ?? deps.nameHash(canonical);
      return { stored: found, subject: counted, locked: await lockedNow(reader, 'password', counted) };
    });
    if (stored) {
      context.auditActorId = stored.userId;
      context.auditActorName = stored.username;
      context.auditSubject = { type: 'user', id: stored.userId };
    }
    // Also while locked: the time must not tell.
    const matches = await deps.passwords.verify(stored?.phc, request.password);
    if (locked) throw refused(context, 'account_locked');
    if (!stored || !matches) {
      const nowLocked = await deps.database.withTenant(tenant.id, (tx) =>
        countFailure(tx, tenant.id, 'password', subject),
      );
      throw refused(
        context,
        !stored ? 'unknown_user' : nowLocked ? 'wrong_password_locked' : 'wrong_password',
      );
    }
    const rehashed = deps.passwords.isOutdated(stored.phc!)
      ? await deps.passwords.hash(request.password)
      : undefined;
    const { secondFactorMandatory } = (await deps.settings.read(tenant.id)).values.access;
    const result = await deps.database.withTenant(tenant.id, (tx) =>
      enter(deps, tx, {
        tenant,
        stored,
        code: request.code,
        secondFactorMandatory,
        rehashed,
        context,
        request,
      }),
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

interface Entry {
  readonly tenant: TenantEntry;
  readonly stored: StoredCredential;
  readonly code: string;
  readonly secondFactorMandatory: boolean;
  readonly rehashed: string | undefined;
  readonly context: CallContext;
  readonly request: auth.LoginRequest;
}

type Entered =
  | { session: SessionFacts; refreshToken: string; user: auth.User | undefined; hasFactor: boolean }
  | { refusal: string | ClavigerError };

/** Looks again under the lock of the user: what was read before the hash may have changed while it was computed. */
async function enter(deps: AuthDeps, tx: Tx<AuthSchema>, entry: Entry): Promise<Entered> {
  const { tenant, stored, context } = entry;
  const { userId } = stored;
  // Before any lock: a suspension that is under way waits for this sign-in, or this one sees it.
  if (!tenant.active || !(await isActiveTenant(tx))) return { refusal: 'tenant_suspended' };
  const locked = await tx
    .selectFrom('users')
    .select(['status', 'epoch', 'deleted_at'])
    .where('id', '=', userId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const credential = await credentialOfUser(tx, userId);
  if (await lockedNow(tx, 'password', userId)) return { refusal: 'account_locked' };
  if (!locked || locked.deleted_at || locked.status !== 'active') return { refusal: 'account_disabled' };
  if (credential?.phc !== stored.phc) return { refusal: 'password_changed_meanwhile' };

  const amr = ['pwd'];
  const hasFactor = await hasConfirmedFactor(tx, userId);
  if (hasFactor && entry.code) {
    const proof = await proveSecondFactor(deps, tx, { tenantId: tenant.id, userId }, entry.code);
    if ('refused' in proof) return { refusal: mfaRefused(proof.refused) };
    amr.push(proof.method);
  }
  const mfaPending = (hasFactor || entry.secondFactorMandatory) && amr.length === 1;
  await clearFailures(tx, 'password', userId);
  if (entry.rehashed) {
    await tx.updateTable('credentials').set({ phc: entry.rehashed }).where('user_id', '=', userId).execute();
  }
  const session = await openSession(tx, deps.config, {
    tenantId: tenant.id,
    userId,
    userEpoch: locked.epoch,
    amr,
    mfaPending,
  });
  await tx.updateTable('users').set({ last_login_at: sql`now()` }).where('id', '=', userId).execute();
  const refreshToken = mfaPending ? '' : await issueRefreshToken(tx, tenant.id, session.sessionId);
  await deps.emitter.audit(tx, context, {
    subject: { type: 'session', id: session.sessionId },
    details: { username: stored.username, amr, mfaPending },
  });
  const user = mfaPending ? undefined : await readUser(tx, userId);
  return { session, refreshToken, user, hasFactor };
}

function refused(context: CallContext, reason: string): ClavigerError {
  noteReason(context, reason);
  return invalidCredentials();
}

function invalidCredentials(): ClavigerError {
  return new ClavigerError('unauthenticated', 'User name or password is wrong, or the account is locked.', {
    code: 'invalid_credentials',
    hint: 'Check both, wait a quarter of an hour after several wrong tries, or ask an administrator.',
  });
}
