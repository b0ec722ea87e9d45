import { randomUUID } from 'node:crypto';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { requireCurrentActor } from '../users/user-permissions.ts';
import { currentSites, requireEverySite } from './actor-sites.ts';
import type { SitesDeps } from './deps.ts';
import { orSiteExists, readSite } from './sites-store.ts';

/** Site-restricted users cannot create sites. */
export function createSite(
  deps: Pick<SitesDeps, 'database' | 'emitter'>,
): Handler<typeof devices.SitesService.createSite> {
  return async (request, context) => {
    const { tenantId } = context;
    const id = randomUUID();
    const site = await orSiteExists(
      deps.database.withTenant(tenantId, async (tx) => {
        await requireCurrentActor(tx, context);
        requireEverySite(await currentSites(tx, context));
        await tx
          .insertInto('sites')
          .values({ tenant_id: tenantId, id, name: request.name, description: request.description })
          .execute();
        await deps.emitter.audit(tx, context, { subject: { type: 'site', id }, request });
        return readSite(tx, id, undefined);
      }),
    );
    return { site };
  };
}
