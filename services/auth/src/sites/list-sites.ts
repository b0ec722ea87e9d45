import type * as devices from '@claviger/contracts/auth/v1/devices';
import { likeTerm, pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import type { SitesDeps } from './deps.ts';
import { siteMessage, sitesQuery } from './sites-store.ts';

const SORT: SortFields = {
  name: { column: 'sites.name', type: 'text' },
  createdAt: { column: 'sites.created_at', type: 'timestamptz' },
};

/** Lists the sites that the actor may see. */
export function listSites(deps: Pick<SitesDeps, 'database'>): Handler<typeof devices.SitesService.listSites> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      const query = sitesQuery(reader, context.actor.siteIds).$if(request.search !== '', (all) =>
        all.where('sites.name', 'ilike', likeTerm(request.search)),
      );
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'name',
        tieBreaker: { column: 'sites.id', type: 'uuid' },
        map: siteMessage,
      });
    });
}
