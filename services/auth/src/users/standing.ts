import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { sessionEnded } from '../sign-in/sessions-store.ts';
import { requireSitesWithin, sitesNow } from '../sites/actor-sites.ts';

/** What a user may do right now, by the roles in the database. */
export interface Standing {
  readonly active: boolean;
  readonly permissions: ReadonlySet<string>;
  readonly roles: readonly string[];
}

/** Undefined when there is no such user. */
export async function standingOf(reader: Reader<AuthSchema>, userId: string): Promise<Standing | undefined> {
  const row = await reader
    .selectFrom('users')
    .innerJoin('tenants', 'tenants.id', 'users.tenant_id')
    .select([
      sql<boolean>`users.status = 'active' AND tenants.status = 'active'`.as('active'),
      permissionsOfUser.as('permissions'),
      rolesOfUser.as('roles'),
    ])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  return row && { active: row.active, permissions: new Set(row.permissions), roles: row.roles };
}

export const rolesOfUser = sql<string[]>`coalesce((SELECT array_agg(r.name ORDER BY r.name)
  FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id
  WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id), '{}')`;

export const permissionsOfUser = sql<string[]>`coalesce((SELECT array_agg(DISTINCT p ORDER BY p)
  FROM user_roles ur JOIN roles r ON r.tenant_id = ur.tenant_id AND r.id = ur.role_id, unnest(r.permissions) p
  WHERE ur.tenant_id = users.tenant_id AND ur.user_id = users.id), '{}')`;

/** Answers whether the actor holds a permission (or a whole pattern) both by token and by roles as they are now. */
export type Holds = (pattern: string) => boolean;

/**
 * The actor as the database knows them now: the actor token may be a minute old. Its session is held until the
 * transaction ends, so that a revoke either comes first and is seen, or waits.
 */
export async function actingNow(tx: Tx<AuthSchema>, context: CallContext): Promise<Holds> {
  const { actor } = context;
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', actor.sessionId)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`expires_at > now()`)
    .forShare()
    .executeTakeFirst();
  const standing = session && (await standingOf(tx, actor.userId));
  if (!standing?.active) throw sessionEnded('session_revoked');
  const { permission } = context.method.policy!;
  const holds: Holds = (pattern) =>
    permits(actor.permissions, pattern) && permits(standing.permissions, pattern);
  if (permission && !holds(permission)) {
    throw new ClavigerError('denied', `The permission ${permission} is needed.`);
  }
  return holds;
}

/** Nobody grants, or takes over, what they do not hold themselves. */
export function requireHeld(holds: Holds, patterns: Iterable<string>): void {
  for (const pattern of patterns) {
    if (!holds(pattern)) {
      throw new ClavigerError('denied', `You do not hold ${pattern} yourself.`, {
        code: 'exceeds_own_permissions',
        hint: 'Ask somebody who holds it.',
      });
    }
  }
}

/**
 * For changes that would let the actor take over an account: its user may neither hold more than the actor, nor touch
 * more sites.
 */
export async function requireNotAbove(
  tx: Tx<AuthSchema>,
  context: CallContext,
  holds: Holds,
  userId: string,
): Promise<void> {
  const target = await standingOf(tx, userId);
  requireHeld(holds, target?.permissions ?? []);
  await requireSitesWithin(tx, await sitesNow(tx, context), userId);
}

/** Also through a machine: what its token does, whoever made that token does. */
export function refuseSelf(context: CallContext, userId: string, hint: string): void {
  if (peopleBehind(context.actor).includes(userId)) {
    throw new ClavigerError('denied', 'This cannot be done to your own account.', {
      code: 'own_account',
      hint,
    });
  }
}

/** An API token acts for a machine: it may not change what a person signs in with. */
export function requirePerson(context: CallContext): void {
  if (context.actor.kind !== 'user') {
    throw new ClavigerError('denied', 'An API token cannot do this.', {
      code: 'not_for_api_tokens',
      hint: 'Sign in as a person.',
    });
  }
}
