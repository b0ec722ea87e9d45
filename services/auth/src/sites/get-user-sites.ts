import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { readUser } from '../users/users-store.ts';
import { readSites } from './actor-sites.ts';
import type { SitesDeps } from './deps.ts';

export function getUserSites(
  deps: Pick<SitesDeps, 'database'>,
): Handler<typeof devices.SitesService.getUserSites> {
  return async (request, context) => {
    const userId = request.userId;
    return deps.database.readTenant(context.tenantId, async (reader) => {
      await readUser(reader, userId);
      const sites = await readSites(reader, userId);
      return { restricted: sites !== undefined, siteIds: [...(sites ?? [])] };
    });
  };
}
