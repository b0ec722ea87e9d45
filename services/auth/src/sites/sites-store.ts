import { rowMapper } from '@claviger/contracts';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader, Tx } from '@claviger/database';
import { isUniqueViolation } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { Sites } from './actor-sites.ts';

export function sitesQuery(reader: Reader<AuthSchema>, sites: Sites) {
  return reader
    .selectFrom('sites')
    .select([
      'sites.id',
      'sites.name',
      'sites.description',
      'sites.created_at',
      'sites.updated_at',
      'sites.row_version',
      sql<number>`(SELECT count(*) FROM devices d WHERE d.tenant_id = sites.tenant_id AND d.site_id = sites.id
        AND d.status = 'active')`.as('devices'),
    ])
    .$if(sites !== undefined, (query) =>
      query.where(sql<boolean>`sites.id = ANY(${[...(sites ?? [])]}::uuid[])`),
    );
}

export type SiteRow = Awaited<ReturnType<ReturnType<typeof sitesQuery>['executeTakeFirstOrThrow']>>;

export const siteMessage: (row: SiteRow) => devices.Site = rowMapper<devices.Site>('claviger.auth.v1.Site');

/** Throws `not_found` also for a site outside `sites`. */
export async function readSite(
  reader: Reader<AuthSchema>,
  siteId: string,
  sites: Sites,
): Promise<devices.Site> {
  const row = await sitesQuery(reader, sites).where('sites.id', '=', siteId).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return siteMessage(row);
}

/**
 * Locks the site until the transaction ends. With `delete`, no device can be added to the site meanwhile.
 * Throws `not_found`.
 */
export async function lockSite(
  tx: Tx<AuthSchema>,
  siteId: string,
  to: 'change' | 'delete',
): Promise<{ rowVersion: number; name: string }> {
  const query = tx.selectFrom('sites').select(['row_version', 'name']).where('id', '=', siteId);
  const row = await (to === 'delete' ? query.forUpdate() : query.forNoKeyUpdate()).executeTakeFirst();
  if (!row) throw ClavigerError.notFound();
  return { rowVersion: row.row_version, name: row.name };
}

/** Converts a unique violation to `already_exists`. */
export async function orSiteExists<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ClavigerError('already_exists', 'A site with this name already exists.', {
      code: 'site_exists',
    });
  }
}
