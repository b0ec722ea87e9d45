import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { raiseDevices } from '../agents/agent-tokens-store.ts';
import { requireRowVersion } from '../row-version.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import { currentSites, requireSite } from './actor-sites.ts';
import type { SitesDeps } from './deps.ts';
import { lockSite, orSiteExists, readSite } from './sites-store.ts';

/** Absent fields stay unchanged. The next calls of agents of its devices carry the new name. */
export function updateSite(
  deps: Pick<SitesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.SitesService.updateSite> {
  return async (request, context) => {
    const siteId = request.siteId;
    context.auditSubject = { type: 'site', id: siteId };
    const { site, live } = await orSiteExists(
      deps.database.withTenant(context.tenantId, async (tx) => {
        await requireCurrentActor(tx, context);
        const sites = await currentSites(tx, context);
        const before = await lockSite(tx, siteId, 'change');
        requireSite(sites, siteId);
        requireRowVersion(request.rowVersion, before.rowVersion);
        await tx
          .updateTable('sites')
          .set({
            ...(request.name === undefined ? {} : { name: request.name }),
            ...(request.description === undefined ? {} : { description: request.description }),
            updated_at: sql<Date>`now()`,
            row_version: sql<number>`row_version + 1`,
          })
          .where('id', '=', siteId)
          .execute();
        const raised = request.name === undefined ? [] : await raiseDevices(tx, { siteId });
        await deps.emitter.audit(tx, context, { request, details: { nameBefore: before.name } });
        return { site: await readSite(tx, siteId, sites), live: raised };
      }),
    );
    await deps.liveness.raise(live);
    return { site };
  };
}
