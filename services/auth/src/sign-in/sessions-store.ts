import { randomUUID } from 'node:crypto';
import { anyOf, type Reader, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthConfig } from '../config.ts';
import type { AuthSchema } from '../schema.ts';
import { newRefreshToken, sha256 } from './bearer-secrets.ts';
import type { LiveSession } from './liveness.ts';

/** Lifetime of a session that still requires its second factor. */
const PENDING_MINUTES = 5;

const minutes = (count: number) => sql<Date>`make_interval(mins => ${count}::int)`;

/** The facts of a session that its tokens contain. */
export interface SessionFacts {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly userId: string;
  /** Sum of the epochs of user and session; it only increases. */
  readonly epoch: number;
  readonly amr: readonly string[];
  readonly authenticatedAt: Date;
  readonly mfaPending: boolean;
}

/**
 * Opens the session of a sign-in. With `mfaPending` it lasts for `PENDING_MINUTES`, otherwise for the
 * configured time.
 */
export async function openSession(
  tx: Tx<AuthSchema>,
  config: AuthConfig,
  input: { tenantId: string; userId: string; userEpoch: number; amr: string[]; mfaPending: boolean },
): Promise<SessionFacts> {
  const id = randomUUID();
  const lifeMinutes = input.mfaPending ? PENDING_MINUTES : config.sessions.absoluteHours * 60;
  const row = await tx
    .insertInto('sessions')
    .values({
      tenant_id: input.tenantId,
      id,
      user_id: input.userId,
      kind: 'user',
      mfa_pending: input.mfaPending,
      mfa_at: input.amr.length > 1 ? sql`now()` : null,
      amr: input.amr,
      expires_at: sql`now() + ${minutes(lifeMinutes)}`,
    })
    .returning(['epoch', 'authenticated_at'])
    .executeTakeFirstOrThrow();
  return {
    tenantId: input.tenantId,
    sessionId: id,
    userId: input.userId,
    epoch: input.userEpoch + row.epoch,
    amr: input.amr,
    authenticatedAt: row.authenticated_at,
    mfaPending: input.mfaPending,
  };
}

/** Issues the next refresh token of a session whose row the caller has locked or inserted. */
export async function issueRefreshToken(
  tx: Tx<AuthSchema>,
  tenantId: string,
  sessionId: string,
): Promise<string> {
  const token = newRefreshToken(tenantId);
  const last = await tx
    .selectFrom('refresh_tokens')
    .select(({ fn }) => fn.max('generation').as('generation'))
    .where('session_id', '=', sessionId)
    .executeTakeFirst();
  await tx
    .insertInto('refresh_tokens')
    .values({
      tenant_id: tenantId,
      token_hash: sha256(token),
      session_id: sessionId,
      generation: (last?.generation ?? 0) + 1,
      used_at: null,
    })
    .execute();
  return token;
}

export interface LockedSession extends SessionFacts {
  readonly kind: 'user' | 'api-token';
  readonly username: string;
  readonly userEpoch: number;
  readonly expiresAt: Date;
  readonly ended: 'session_revoked' | 'session_expired' | undefined;
}

/**
 * Returns the session and locks it until the transaction ends, so that refresh, challenge, logout and
 * revocation of one session are serialised. Undefined if it does not exist.
 */
export async function lockSession(
  tx: Tx<AuthSchema>,
  config: AuthConfig,
  sessionId: string,
): Promise<LockedSession | undefined> {
  const row = await tx
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.tenant_id', '=', 'sessions.tenant_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .innerJoin('tenants', 'tenants.id', 'sessions.tenant_id')
    .select([
      'sessions.tenant_id',
      'sessions.user_id',
      'sessions.kind',
      'users.username',
      'sessions.amr',
      'sessions.authenticated_at',
      'sessions.mfa_pending',
      'sessions.expires_at',
      'users.epoch as user_epoch',
      sql<number>`sessions.epoch + users.epoch`.as('epoch'),
      sql<boolean>`sessions.revoked_at IS NOT NULL OR users.status <> 'active' OR users.deleted_at IS NOT NULL
        OR tenants.status <> 'active'`.as('revoked'),
      isExpired(config).as('expired'),
    ])
    .where('sessions.id', '=', sessionId)
    .forNoKeyUpdate('sessions')
    .executeTakeFirst();
  if (!row) return undefined;
  return {
    tenantId: row.tenant_id,
    sessionId,
    userId: row.user_id,
    kind: row.kind,
    username: row.username,
    epoch: row.epoch,
    amr: row.amr,
    authenticatedAt: row.authenticated_at,
    mfaPending: row.mfa_pending,
    userEpoch: row.user_epoch,
    expiresAt: row.expires_at,
    ended: row.revoked ? 'session_revoked' : row.expired ? 'session_expired' : undefined,
  };
}

/** Whether a session passed its end or was idle for too long. API tokens have no idle limit. */
export const isExpired = (config: AuthConfig) =>
  sql<boolean>`sessions.expires_at <= now() OR (sessions.kind = 'user'
    AND sessions.last_seen_at <= now() - ${minutes(config.sessions.idleMinutes)})`;

/** Locks the live sessions of a user in a fixed order; the caller has locked the user. */
export async function lockSessionsOfUser(tx: Tx<AuthSchema>, userId: string): Promise<void> {
  await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
}

/**
 * Ends a session after a second factor was proved and opens a complete one with the same sign-in time and
 * end. A copy of the former session's tokens, which have fewer privileges, gains nothing.
 */
export async function replaceSession(
  tx: Tx<AuthSchema>,
  config: AuthConfig,
  before: LockedSession,
  method: string,
): Promise<SessionFacts> {
  const id = randomUUID();
  const amr = [...new Set([...before.amr, method])];
  const { tenantId, userId, userEpoch, authenticatedAt } = before;
  const { epoch } = await tx
    .insertInto('sessions')
    .values({
      tenant_id: tenantId,
      id,
      user_id: userId,
      kind: 'user',
      mfa_pending: false,
      mfa_at: sql`now()`,
      amr,
      authenticated_at: authenticatedAt,
      expires_at: before.mfaPending
        ? sql<Date>`${authenticatedAt}::timestamptz + ${minutes(config.sessions.absoluteHours * 60)}`
        : before.expiresAt,
    })
    .returning('epoch')
    .executeTakeFirstOrThrow();
  await endSession(tx, before.sessionId, 'second-factor-proved');
  return {
    tenantId,
    sessionId: id,
    userId,
    epoch: userEpoch + epoch,
    amr,
    authenticatedAt,
    mfaPending: false,
  };
}

export type SessionEndCause =
  | 'logout'
  | 'refresh-token-reused'
  | 'user-deleted'
  | 'user-disabled'
  | 'sessions-revoked'
  | 'password-changed'
  | 'mfa-disabled'
  | 'factor-added'
  | 'second-factor-proved'
  | 'api-token-revoked'
  | 'responsible-person-changed';

/** Ends one session and its API token. Returns false if the session had ended before. */
export async function endSession(
  tx: Tx<AuthSchema>,
  sessionId: string,
  cause: SessionEndCause,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('sessions')
    .set({ revoked_at: sql`now()`, revoked_reason: cause })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  await tx
    .updateTable('api_tokens')
    .set({ revoked_at: sql`now()` })
    .where('session_id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .execute();
  return numUpdatedRows > 0n;
}

/**
 * Ends sessions of a user, including API tokens unless `keepApiTokens`. Returns the ids of all sessions that
 * ended within 15 minutes, because a gateway may still hold them as alive; revoking one twice is harmless.
 */
export async function endSessionsOfUser(
  tx: Tx<AuthSchema>,
  userId: string,
  cause: SessionEndCause,
  options: { exceptSessionId?: string; keepApiTokens?: boolean } = {},
): Promise<{ ended: number; revoked: string[] }> {
  const ended = await tx
    .updateTable('sessions')
    .set({ revoked_at: sql`now()`, revoked_reason: cause })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .$if(options.exceptSessionId !== undefined, (query) => query.where('id', '<>', options.exceptSessionId!))
    .$if(options.keepApiTokens === true, (query) => query.where('kind', '=', 'user'))
    .returning(sql<boolean>`expires_at > now()`.as('was_live'))
    .execute();
  if (!options.keepApiTokens) {
    await tx
      .updateTable('api_tokens')
      .set({ revoked_at: sql`now()` })
      .where('user_id', '=', userId)
      .where('revoked_at', 'is', null)
      .execute();
  }
  const recent = await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where(sql<boolean>`revoked_at > now() - interval '15 minutes'`)
    .execute();
  return { ended: ended.filter((row) => row.was_live).length, revoked: recent.map((row) => row.id) };
}

/**
 * Raises the epoch of users whose permissions changed and of the machine identities they are responsible for.
 * Returns the live sessions of both, which the caller passes to `liveness.raise`.
 */
export async function raiseEpoch(tx: Tx<AuthSchema>, userIds: readonly string[]): Promise<LiveSession[]> {
  if (userIds.length === 0) return [];
  await tx
    .updateTable('users')
    .set({ epoch: sql`epoch + 1` })
    .where(({ or, eb }) =>
      or([eb('id', '=', anyOf(userIds, 'uuid')), eb('responsible_id', '=', anyOf(userIds, 'uuid'))]),
    )
    .execute();
  return liveSessions(tx, userIds);
}

async function liveSessions(reader: Reader<AuthSchema>, userIds: readonly string[]): Promise<LiveSession[]> {
  const rows = await reader
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.tenant_id', '=', 'sessions.tenant_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .select(['sessions.id', sql<number>`sessions.epoch + users.epoch`.as('epoch')])
    .where(({ or, eb }) =>
      or([
        eb('users.id', '=', anyOf(userIds, 'uuid')),
        eb('users.responsible_id', '=', anyOf(userIds, 'uuid')),
      ]),
    )
    .where('sessions.revoked_at', 'is', null)
    .where(sql<boolean>`sessions.expires_at > now()`)
    .execute();
  return rows.map((row) => ({ sessionId: row.id, epoch: row.epoch }));
}

export function sessionEnded(code: 'session_revoked' | 'session_expired'): ClavigerError {
  return new ClavigerError(
    'unauthenticated',
    code === 'session_expired' ? 'The session has expired.' : 'The session has ended.',
    { code, hint: 'Sign in again.' },
  );
}
