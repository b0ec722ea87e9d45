import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import type { SitesDeps } from './deps.ts';
import { readSite } from './sites-store.ts';

export function getSite(deps: Pick<SitesDeps, 'database'>): Handler<typeof devices.SitesService.getSite> {
  return async (request, context) => {
    const siteId = request.siteId;
    return {
      site: await deps.database.readTenant(context.tenantId, (reader) =>
        readSite(reader, siteId, context.actor.siteIds),
      ),
    };
  };
}
