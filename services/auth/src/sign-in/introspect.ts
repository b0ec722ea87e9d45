import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type Actor, type Handler, signActorToken } from '@claviger/service-kit';
import { sql } from 'kysely';
import { type FoundAgent, readAgent } from '../agents/read-agent.ts';
import { peopleBehindUser } from '../responsible/people-behind.ts';
import {
  limitToPerson,
  responsiblePerson,
  responsiblePersonGone,
} from '../responsible/responsible-person.ts';
import { narrowed } from '../roles/permission-patterns.ts';
import type { AuthSchema } from '../schema.ts';
import { sitesOfUser, withinBoth } from '../sites/actor-sites.ts';
import { permissionsOfUser, rolesOfUser } from '../users/roles-of-user.ts';
import { invalidToken } from './access-token.ts';
import { readAgentToken, readApiToken } from './bearer-secrets.ts';
import type { SignInDeps } from './deps.ts';
import { isExpired, sessionEnded } from './sessions-store.ts';

/** Interval between updates of the last use. */
const TOUCH_SECONDS = 60;
const ATTEMPTS = 3;
const AUDIENCE = /^[a-z]{1,32}$/;

/**
 * Issues an actor token for the named services, from the current rows of session, user and tenant.
 * `unauthenticated` means that the credential is not valid; an outage is `unavailable`.
 */
export function introspect(deps: SignInDeps): Handler<typeof auth.SessionsService.introspect> {
  return async (request) => {
    const { audiences, credential } = request;
    if (audiences.length === 0 || !audiences.every((audience) => AUDIENCE.test(audience))) {
      throw ClavigerError.invalid('/audiences', 'must name services');
    }
    const found = await lookUp(deps, credential);
    // API tokens have no second factor.
    const secondFactorMandatory =
      'sessionId' in found && (await deps.settings.read(found.tenantId)).values.access.secondFactorMandatory;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { actor, epoch, ended } = await deps.database.withTenant(found.tenantId, (tx) =>
        'agentTokenHash' in found
          ? readAgent(tx, found, TOUCH_SECONDS)
          : readActor(deps, tx, found, secondFactorMandatory),
      );
      if (ended.length > 0) await deps.liveness.revoke(ended);
      const remembered = await deps.liveness.remember({ sessionId: actor.sessionId, epoch });
      if (remembered === 'revoked') throw sessionEnded('session_revoked');
      // The session changed after it was read, so read it again.
      if (remembered > epoch) continue;
      const { token, expiresAt } = await signActorToken(actor, audiences, deps.actorKey);
      return {
        actorToken: token,
        actorTokenExpiresAt: expiresAt.toISOString(),
        sessionId: actor.sessionId,
        userId: actor.userId,
        tenantId: actor.tenantId,
        epoch,
        mfaPending: actor.mfaPending,
      };
    }
    throw new ClavigerError('unavailable', 'The session changed repeatedly during this call.', {
      retryAfterSeconds: 1,
    });
  };
}

type Credential = auth.IntrospectRequest['credential'];
type FoundPerson = { readonly tenantId: string } & (
  | { readonly sessionId: string; readonly userId: string }
  | { readonly apiTokenHash: Buffer }
);

async function lookUp(deps: SignInDeps, credential: Credential): Promise<FoundPerson | FoundAgent> {
  if (credential?.$case === 'accessToken') return deps.accessTokens.verify(credential.value);
  if (credential?.$case === 'agentToken') {
    const agentToken = readAgentToken(credential.value);
    if (!agentToken) throw invalidToken();
    return { tenantId: agentToken.tenantId, agentTokenHash: agentToken.hash };
  }
  const apiToken = credential?.$case === 'apiToken' ? readApiToken(credential.value) : undefined;
  if (!apiToken) throw invalidToken();
  return { tenantId: apiToken.tenantId, apiTokenHash: apiToken.hash };
}

async function readActor(
  deps: SignInDeps,
  tx: Tx<AuthSchema>,
  found: FoundPerson,
  secondFactorMandatory: boolean,
): Promise<{ actor: Actor; epoch: number; ended: readonly string[] }> {
  const row = await tx
    .selectFrom('sessions')
    .innerJoin('users', (join) =>
      join.onRef('users.tenant_id', '=', 'sessions.tenant_id').onRef('users.id', '=', 'sessions.user_id'),
    )
    .innerJoin('tenants', 'tenants.id', 'sessions.tenant_id')
    .leftJoin('api_tokens', (join) =>
      join
        .onRef('api_tokens.tenant_id', '=', 'sessions.tenant_id')
        .onRef('api_tokens.session_id', '=', 'sessions.id'),
    )
    .select([
      'sessions.id as session_id',
      'sessions.kind',
      'sessions.mfa_pending',
      'sessions.mfa_at',
      'users.id as user_id',
      'users.username',
      'api_tokens.permissions as narrowing',
      'users.kind as user_kind',
      'users.responsible_id',
      peopleBehindUser.as('behind'),
      'users.site_restricted',
      sitesOfUser.as('site_ids'),
      sql<number>`sessions.epoch + users.epoch`.as('epoch'),
      sql<boolean>`sessions.revoked_at IS NOT NULL OR api_tokens.revoked_at IS NOT NULL OR users.status <> 'active'
        OR users.deleted_at IS NOT NULL OR tenants.status <> 'active'`.as('revoked'),
      isExpired(deps.config).as('expired'),
      sql<boolean>`sessions.last_seen_at < now() - make_interval(secs => ${TOUCH_SECONDS})
        OR (api_tokens.id IS NOT NULL AND api_tokens.last_used_at IS NULL)`.as('stale'),
      'tenants.platform',
      sql<boolean>`coalesce(users.emergency_until > clock_timestamp(), false)`.as('emergency'),
      permissionsOfUser.as('permissions'),
      rolesOfUser.as('roles'),
    ])
    .$if('sessionId' in found, (query) =>
      query
        .where('sessions.id', '=', 'sessionId' in found ? found.sessionId : '')
        .where('sessions.kind', '=', 'user'),
    )
    .$if('apiTokenHash' in found, (query) =>
      query.where(
        'api_tokens.token_hash',
        '=',
        'apiTokenHash' in found ? found.apiTokenHash : Buffer.alloc(0),
      ),
    )
    .executeTakeFirst();
  if (!row) throw 'sessionId' in found ? sessionEnded('session_revoked') : invalidToken();
  if ('userId' in found && row.user_id !== found.userId) throw invalidToken();
  if (row.revoked) throw sessionEnded('session_revoked');
  if (row.expired) throw sessionEnded('session_expired');
  const person = row.user_kind === 'machine' ? await responsiblePerson(tx, row.responsible_id) : undefined;
  if (row.user_kind === 'machine' && !person) throw responsiblePersonGone();
  if (row.stale) await touch(tx, row.session_id, row.kind);
  const permissions = row.narrowing ? narrowed(row.permissions, row.narrowing) : row.permissions;
  const limited = person
    ? limitToPerson({ permissions, roles: row.roles }, person)
    : { permissions, roles: row.roles };
  const siteIds = withinBoth(row.site_restricted ? row.site_ids : undefined, person?.sites);
  const actor: Actor = {
    userId: row.user_id,
    userName: row.username,
    tenantId: found.tenantId,
    platform: row.platform,
    sessionId: row.session_id,
    kind: row.kind,
    permissions: new Set(limited.permissions),
    roles: limited.roles,
    mfaPending: row.mfa_pending || (secondFactorMandatory && row.mfa_at === null),
    mfaAt: row.mfa_at ? Math.floor(row.mfa_at.getTime() / 1000) : 0,
    emergency: row.emergency || person?.emergency === true,
    ...(siteIds ? { siteIds } : {}),
    ...(person ? { responsibleId: person.id } : {}),
    ...(row.behind.length > 0 ? { behind: row.behind } : {}),
  };
  return { actor, epoch: row.epoch, ended: [] };
}

async function touch(tx: Tx<AuthSchema>, sessionId: string, kind: string): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ last_seen_at: sql`now()` })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .execute();
  if (kind === 'api-token') {
    await tx
      .updateTable('api_tokens')
      .set({ last_used_at: sql`now()` })
      .where('session_id', '=', sessionId)
      .execute();
  }
}
