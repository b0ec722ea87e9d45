import { type Actor, permits } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';
import type { Access } from './access.ts';

export interface EffectiveAccess {
  readonly access: Access;
  /** What gives the access: owner, share, administrator or grant; empty for none. */
  readonly basis: string;
}

/** Administrators of secrets have full access to all entries. Their operations record events as well. */
export function isAdministrator(actor: Pick<Actor, 'permissions'>): boolean {
  return permits(actor.permissions, 'vault.entries.retrieve-any');
}

/**
 * The actor's access to an entry now: by ownership, by a share or as administrator, and view access by a live
 * grant. Does not check `requires_grant`: such an entry is disclosed only under a grant.
 */
export async function effectiveAccess(
  reader: VaultReader,
  actor: Actor,
  entryId: string,
): Promise<EffectiveAccess> {
  const row = await reader
    .selectFrom('entries')
    .leftJoin('shares', (join) =>
      join.onRef('shares.entry_id', '=', 'entries.id').on('shares.user_id', '=', actor.userId),
    )
    .select([
      sql<Access>`standing_access(entries.owner_id, shares.access, ${actor.userId}::uuid, ${isAdministrator(actor)})`.as(
        'access',
      ),
      sql<boolean>`coalesce(entries.owner_id = ${actor.userId}::uuid, false)`.as('owner'),
      'shares.access as share',
      sql<boolean>`EXISTS (SELECT FROM entitlements g WHERE g.entry_id = entries.id AND g.user_id = ${actor.userId}::uuid
        AND g.removed_at IS NULL AND g.expires_at > clock_timestamp() AND (NOT g.one_time OR g.delivered_at IS NULL))`.as(
        'granted',
      ),
    ])
    .where('entries.id', '=', entryId)
    .executeTakeFirst();
  if (!row) return { access: 'none', basis: '' };
  if (row.access === 'none')
    return row.granted ? { access: 'view', basis: 'grant' } : { access: 'none', basis: '' };
  if (row.owner) return { access: row.access, basis: 'owner' };
  return {
    access: row.access,
    basis: row.access === 'full' && row.share !== 'manage' ? 'administrator' : 'share',
  };
}
