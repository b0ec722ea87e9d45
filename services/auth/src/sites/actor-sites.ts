import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, withinSites } from '@claviger/service-kit';
import { sql } from 'kysely';
import { isObjectId } from '../object-id.ts';
import type { AuthSchema } from '../schema.ts';

/** The sites that somebody is kept to; undefined: every site, and what stands in none. */
export type Sites = readonly string[] | undefined;

export const sitesOfUser = sql<string[]>`coalesce((SELECT array_agg(us.site_id::text ORDER BY us.site_id)
  FROM user_sites us WHERE us.tenant_id = users.tenant_id AND us.user_id = users.id), '{}')`;

export async function readSites(reader: Reader<AuthSchema>, userId: string): Promise<Sites> {
  const row = await reader
    .selectFrom('users')
    .select(['site_restricted', sitesOfUser.as('site_ids')])
    .where('id', '=', userId)
    .executeTakeFirst();
  // Nobody is kept to nothing: it must not read as being free of limits.
  if (!row) return [];
  return row.site_restricted ? row.site_ids : undefined;
}

/** The sites of the actor by the database: what the actor token says may be a minute old. Of a machine those of its person, too. */
export async function sitesNow(reader: Reader<AuthSchema>, { actor }: CallContext): Promise<Sites> {
  const own = await readSites(reader, actor.userId);
  if (actor.responsibleId === undefined) return own;
  return withinBoth(own, await readSites(reader, actor.responsibleId));
}

/** The sites that both reach. */
export function withinBoth(own: Sites, other: Sites): Sites {
  if (own === undefined) return other;
  return other === undefined ? own : own.filter((id) => other.includes(id));
}

/** Throws `site_denied` for what stands outside; null stands for what belongs to no site. */
export function requireSite(sites: Sites, siteId: string | null): void {
  if (sites !== undefined && !withinSites({ siteIds: sites }, siteId)) throw siteDenied();
}

/** For what holds for all sites at once. */
export function requireEverySite(sites: Sites): void {
  if (sites !== undefined) throw siteDenied();
}

/** Nobody takes over, or gives rights to, somebody who may touch more sites than they themselves. */
export async function requireSitesWithin(
  reader: Reader<AuthSchema>,
  sites: Sites,
  userId: string,
): Promise<void> {
  if (sites === undefined) return;
  const theirs = await readSites(reader, userId);
  if (theirs === undefined || theirs.some((siteId) => !sites.includes(siteId))) throw siteDenied();
}

export function siteDenied(): ClavigerError {
  return new ClavigerError('denied', 'This is outside the sites that you are kept to.', {
    code: 'site_denied',
    hint: 'Ask somebody whose sites include it.',
  });
}

/**
 * The site of a request that the actor may use, held until the transaction ends; null for none. Throws `invalid` for one
 * that does not exist.
 */
export async function requestedSite(tx: Tx<AuthSchema>, sites: Sites, text: string): Promise<string | null> {
  const siteId = text === '' ? null : text;
  requireSite(sites, siteId);
  if (siteId === null) return null;
  const known =
    isObjectId(siteId) &&
    (await tx.selectFrom('sites').select('id').where('id', '=', siteId).forKeyShare().executeTakeFirst());
  if (!known) throw ClavigerError.invalid('/siteId', 'is not the id of a site');
  return siteId;
}
