import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, peopleBehind, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import { limitToPerson, responsiblePerson } from '../responsible/responsible-person.ts';
import type { AuthSchema } from '../schema.ts';
import { sessionEnded } from '../sign-in/sessions-store.ts';
import { currentSites, requireSitesWithin } from '../sites/actor-sites.ts';
import { permissionsOfUser, rolesOfUser } from './roles-of-user.ts';

/** The permissions of a user by the current roles in the database. */
export interface UserPermissions {
  /** For a machine identity, also whether its responsible person is active. */
  readonly active: boolean;
  /** For a machine identity, limited to those of its responsible person. */
  readonly permissions: ReadonlySet<string>;
  /** By the roles of the user only. */
  readonly given: ReadonlySet<string>;
  readonly roles: readonly string[];
}

/** Undefined if the user does not exist. */
export async function readPermissions(
  reader: Reader<AuthSchema>,
  userId: string,
): Promise<UserPermissions | undefined> {
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
  const limited = limitToPerson(row, person ?? { permissions: [], roles: [] });
  return {
    active: row.active && person !== undefined,
    permissions: new Set(limited.permissions),
    given,
    roles: limited.roles,
  };
}

/** Returns whether the actor holds a permission or pattern both by token and by current roles. */
export type Holds = (pattern: string) => boolean;

/**
 * Checks the actor against the database, because the actor token may be a minute old. Locks the session of
 * the actor until the transaction ends, so that a concurrent revocation is either seen or waits.
 */
export async function requireCurrentActor(tx: Tx<AuthSchema>, context: CallContext): Promise<Holds> {
  const { actor } = context;
  const session = await tx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', actor.sessionId)
    .where('revoked_at', 'is', null)
    .where(sql<boolean>`expires_at > now()`)
    .forShare()
    .executeTakeFirst();
  const current = session && (await readPermissions(tx, actor.userId));
  if (!current?.active) throw sessionEnded('session_revoked');
  const { permission } = context.method.policy!;
  const holds: Holds = (pattern) =>
    permits(actor.permissions, pattern) && permits(current.permissions, pattern);
  if (permission && !holds(permission)) {
    throw new ClavigerError('denied', `This requires the permission ${permission}.`);
  }
  return holds;
}

/** Throws `denied` unless the actor holds every pattern that it grants or takes over. */
export function requireHeld(holds: Holds, patterns: Iterable<string>): void {
  for (const pattern of patterns) {
    if (!holds(pattern)) {
      throw new ClavigerError('denied', `You do not hold ${pattern} yourself.`, {
        code: 'exceeds_own_permissions',
        hint: 'Ask a user who holds it.',
      });
    }
  }
}

/**
 * Throws `denied` if the user holds more permissions or sites than the actor. Required for changes by which
 * the actor could take over the account.
 */
export async function requireNotAbove(
  tx: Tx<AuthSchema>,
  context: CallContext,
  holds: Holds,
  userId: string,
): Promise<void> {
  const target = await readPermissions(tx, userId);
  requireHeld(holds, target?.given ?? []);
  await requireSitesWithin(tx, await currentSites(tx, context), userId);
}

/** Throws `denied` for the actor's own account, also through a machine identity of the actor. */
export function refuseSelf(context: CallContext, userId: string, hint: string): void {
  if (peopleBehind(context.actor).includes(userId)) {
    throw new ClavigerError('denied', 'You cannot do this to your own account.', {
      code: 'own_account',
      hint,
    });
  }
}

/** Throws `denied` for API tokens: they may not change how a person signs in. */
export function requirePerson(context: CallContext): void {
  if (context.actor.kind !== 'user') {
    throw new ClavigerError('denied', 'An API token cannot do this.', {
      code: 'not_for_api_tokens',
      hint: 'Sign in as a person.',
    });
  }
}
