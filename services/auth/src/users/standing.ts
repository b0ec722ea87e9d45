import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { responsiblePerson, withinRights } from '../responsible/responsible-person.ts';
import type { AuthSchema } from '../schema.ts';
import { sessionEnded } from '../sign-in/sessions-store.ts';
import { requireSitesWithin, sitesNow } from '../sites/actor-sites.ts';
import { permissionsOfUser, rolesOfUser } from './rights-of-user.ts';

/** What a user may do right now, by the roles in the database. */
export interface Standing {
  /** Of a machine: its responsible person lives, too. */
  readonly active: boolean;
  /** Of a machine: those that its responsible person holds, too. */
  readonly permissions: ReadonlySet<string>;
  /** By the roles of the user alone. */
  readonly given: ReadonlySet<string>;
  readonly roles: readonly string[];
}

/** Undefined when there is no such user. */
export async function standingOf(reader: Reader<AuthSchema>, userId: string): Promise<Standing | undefined> {
  const row = await reader
    .selectFrom('users')
    .innerJoin('tenants', 'tenants.id', 'users.tenant_id')
    .select([
      sql<boolean>`users.status = 'active' AND tenants.status = 'active'`.as('active'),
      'users.kind',
      'users.responsible_id',
      permissionsOfUser.as('permissions'),
      rolesOfUser.as('roles'),
    ])
    .where('users.id', '=', userId)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  if (!row) return undefined;
  const given = new Set(row.permissions);
  if (row.kind === 'person') return { active: row.active, permissions: given, given, roles: row.roles };
  const person = await responsiblePerson(reader, row.responsible_id);
  const rights = withinRights(row, person ?? { permissions: [], roles: [] });
  return {
    active: row.active && person !== undefined,
    permissions: new Set(rights.permissions),
    given,
    roles: rights.roles,
  };
}

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
  requireHeld(holds, target?.given ?? []);
  await requireSitesWithin(tx, await sitesNow(tx, context), userId);
}

/** Also through a machine: what it does, its responsible person does. */
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
