import type { Tx } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import type { Sites } from './actor-sites.ts';

/**
 * Restricts a user whom the caller has locked or inserted to these sites; undefined removes the restriction.
 */
export async function storeUserSites(
  tx: Tx<AuthSchema>,
  tenantId: string,
  userId: string,
  sites: Sites,
): Promise<void> {
  await tx.deleteFrom('user_sites').where('user_id', '=', userId).execute();
  await tx
    .updateTable('users')
    .set({ site_restricted: sites !== undefined })
    .where('id', '=', userId)
    .execute();
  if (sites === undefined || sites.length === 0) return;
  await tx
    .insertInto('user_sites')
    .values(sites.map((siteId) => ({ tenant_id: tenantId, user_id: userId, site_id: siteId })))
    .execute();
}
