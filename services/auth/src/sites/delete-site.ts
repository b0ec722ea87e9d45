import type * as devices from '@claviger/contracts/auth/v1/devices';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { requireCurrentActor } from '../users/user-permissions.ts';
import { currentSites, requireEverySite } from './actor-sites.ts';
import type { SitesDeps } from './deps.ts';
import { lockSite } from './sites-store.ts';

/**
 * Deletes a site and its policies. Throws `conflict` while the site contains an active device or a user is
 * restricted to it. Decommissioned devices of the site then have no site.
 */
export function deleteSite(
  deps: Pick<SitesDeps, 'database' | 'emitter'>,
): Handler<typeof devices.SitesService.deleteSite> {
  return async (request, context) => {
    const siteId = request.siteId;
    context.auditSubject = { type: 'site', id: siteId };
    await deps.database.withTenant(context.tenantId, async (tx) => {
      await requireCurrentActor(tx, context);
      const sites = await currentSites(tx, context);
      const { name } = await lockSite(tx, siteId, 'delete');
      requireEverySite(sites);
      const device = await tx
        .selectFrom('devices')
        .select('id')
        .where('site_id', '=', siteId)
        .where('status', '=', 'active')
        .limit(1)
        .executeTakeFirst();
      const person = await tx
        .selectFrom('user_sites')
        .innerJoin('users', 'users.id', 'user_sites.user_id')
        .select('users.id')
        .where('user_sites.site_id', '=', siteId)
        .where('users.deleted_at', 'is', null)
        .limit(1)
        .executeTakeFirst();
      if (device || person)
        throw inUse(device ? 'It contains an active device.' : 'A user is restricted to it.');
      await tx.deleteFrom('user_sites').where('site_id', '=', siteId).execute();
      await tx.updateTable('devices').set({ site_id: null }).where('site_id', '=', siteId).execute();
      await tx.deleteFrom('sites').where('id', '=', siteId).execute();
      await deps.emitter.audit(tx, context, { details: { name } });
    });
    return {};
  };
}

const inUse = (why: string): ClavigerError =>
  new ClavigerError('conflict', `The site is in use. ${why}`, { code: 'site_in_use' });
