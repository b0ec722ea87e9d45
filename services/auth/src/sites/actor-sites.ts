import type { Reader, Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { type CallContext, withinSites } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/** The sites to which a user is restricted; undefined means every site and objects without a site. */
export type Sites = readonly string[] | undefined;

export const sitesOfUser = sql<string[]>`coalesce((SELECT array_agg(us.site_id::text ORDER BY us.site_id)
  FROM user_sites us WHERE us.tenant_id = users.tenant_id AND us.user_id = users.id), '{}')`;

export async function readSites(reader: Reader<AuthSchema>, userId: string): Promise<Sites> {
  const row = await reader
    .selectFrom('users')
    .select(['site_restricted', sitesOfUser.as('site_ids')])
    .where('id', '=', userId)
    .executeTakeFirst();
  // An unknown user has no sites: undefined would mean no restriction.
  if (!row) return [];
  return row.site_restricted ? row.site_ids : undefined;
}

/**
 * Returns the actor's sites from the database, because the actor token may be a minute old. Those of a
 * machine identity are limited to its responsible person's.
 */
export async function currentSites(reader: Reader<AuthSchema>, { actor }: CallContext): Promise<Sites> {
  const own = await readSites(reader, actor.userId);
  if (actor.responsibleId === undefined) return own;
  return withinBoth(own, await readSites(reader, actor.responsibleId));
}

/** Returns the sites that both include. */
export function withinBoth(own: Sites, other: Sites): Sites {
  if (own === undefined) return other;
  return other === undefined ? own : own.filter((id) => other.includes(id));
}

/** Throws `site_denied` for a site outside `sites`; null means no site. */
export function requireSite(sites: Sites, siteId: string | null): void {
  if (sites !== undefined && !withinSites({ siteIds: sites }, siteId)) throw siteDenied();
}

/** Throws `site_denied` for a restricted user: the change affects all sites. */
export function requireEverySite(sites: Sites): void {
  if (sites !== undefined) throw siteDenied();
}

/** Throws `site_denied` if the user has sites that the actor does not have. */
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
  return new ClavigerError('denied', 'This is outside the sites to which you are restricted.', {
    code: 'site_denied',
    hint: 'Ask a user whose sites include it.',
  });
}

/**
 * Returns the site of a request that the actor may use, locked against deletion until the transaction ends;
 * null for none. Throws `invalid` for an unknown site.
 */
export async function requestedSite(tx: Tx<AuthSchema>, sites: Sites, text: string): Promise<string | null> {
  const siteId = text === '' ? null : text;
  requireSite(sites, siteId);
  if (siteId === null) return null;
  const known = await tx
    .selectFrom('sites')
    .select('id')
    .where('id', '=', siteId)
    .forKeyShare()
    .executeTakeFirst();
  if (!known) throw ClavigerError.invalid('/siteId', 'is not the id of a site');
  return siteId;
}
