import { randomUUID } from 'node:crypto';
import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { CallContext, Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireAccountEnded } from '../account-status/queue-account-status.ts';
import { checkedPermissions } from '../roles/checked-permissions.ts';
import { narrowed } from '../roles/permission-patterns.ts';
import type { AuthSchema } from '../schema.ts';
import { newApiToken } from '../sign-in/bearer-secrets.ts';
import { currentSites, requireSitesWithin } from '../sites/actor-sites.ts';
import {
  readPermissions,
  requireCurrentActor,
  requireHeld,
  requirePerson,
} from '../users/user-permissions.ts';
import { type LockedUser, lockUser } from '../users/users-store.ts';
import { apiTokenMessage } from './api-tokens-store.ts';
import type { ApiTokensDeps } from './deps.ts';

const DEFAULT_DAYS = 30;
/** Maximum number of live tokens of one user. */
const MAX_TOKENS = 100;

/**
 * Creates a token for the actor or for a machine identity that the actor is responsible for. The token is
 * shown once. At creation it may not exceed the permissions of the actor; at each use it is limited to those
 * of its user and of the responsible person.
 */
export function createApiToken(deps: ApiTokensDeps): Handler<typeof auth.ApiTokensService.createApiToken> {
  return async (request, context) => {
    requirePerson(context);
    const userId = request.userId || context.actor.userId;
    const permissions = checkedPermissions(request.permissions);
    const { tenantId } = context;
    const made = newApiToken(tenantId);
    const sessionId = randomUUID();
    const row = await deps.database.withTenant(tenantId, async (tx) => {
      const user = await lockUser(tx, userId);
      const holds = await requireCurrentActor(tx, context);
      if (userId !== context.actor.userId && user.kind !== 'machine') {
        throw new ClavigerError(
          'denied',
          'You can create tokens only for yourself or for a machine identity.',
          {
            code: 'not_a_machine',
            hint: 'That person has to create the token.',
          },
        );
      }
      if (user.status !== 'active') {
        throw new ClavigerError('conflict', 'The user is disabled.', { code: 'user_disabled' });
      }
      await requireSitesWithin(tx, await currentSites(tx, context), userId);
      const target = await readPermissions(tx, userId);
      requireHeld(holds, narrowed([...(target?.given ?? [])], permissions));
      if (user.kind === 'machine') {
        requireResponsible(user, context);
        await requireAccountEnded(tx, userId);
      }
      await requireRoom(tx, userId);
      const expiresAt = sql<Date>`now() + make_interval(days => ${request.expiresInDays || DEFAULT_DAYS}::int)`;
      await tx
        .insertInto('sessions')
        .values({
          tenant_id: tenantId,
          id: sessionId,
          user_id: userId,
          kind: 'api-token',
          amr: ['token'],
          expires_at: expiresAt,
        })
        .execute();
      const created = await tx
        .insertInto('api_tokens')
        .values({
          tenant_id: tenantId,
          user_id: userId,
          session_id: sessionId,
          name: request.name,
          prefix: made.prefix,
          token_hash: made.hash,
          permissions,
          created_by: context.actor.userId,
          expires_at: expiresAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await deps.emitter.audit(tx, context, { subject: { type: 'api-token', id: created.id }, request });
      return created;
    });
    return { apiToken: apiTokenMessage(row), token: made.token };
  };
}

/**
 * Throws `denied` unless the actor is responsible for the machine identity: the creator of a token knows the
 * token, so only the responsible person creates it.
 */
function requireResponsible(machine: LockedUser, { actor }: CallContext): void {
  if (machine.responsibleId === actor.userId) return;
  throw new ClavigerError(
    'denied',
    'Only the responsible person of a machine identity can create tokens for it.',
    {
      code: 'not_responsible',
      hint: 'Ask that person, or take over the machine identity with PUT /api/v1/users/{id}/responsible.',
    },
  );
}

/**
 * Throws `conflict` if the user has the maximum number of tokens. The caller has locked the user's row, so
 * concurrent creations are counted one after the other.
 */
async function requireRoom(tx: Tx<AuthSchema>, userId: string): Promise<void> {
  const { live } = await tx
    .selectFrom('api_tokens')
    .innerJoin('sessions', 'sessions.id', 'api_tokens.session_id')
    .select((eb) => eb.fn.countAll<number>().as('live'))
    .where('api_tokens.user_id', '=', userId)
    .where('sessions.revoked_at', 'is', null)
    .where('api_tokens.expires_at', '>', sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  if (live < MAX_TOKENS) return;
  throw new ClavigerError('conflict', `This user has ${MAX_TOKENS} API tokens already.`, {
    code: 'too_many_api_tokens',
    hint: 'Revoke tokens that are no longer used.',
  });
}
