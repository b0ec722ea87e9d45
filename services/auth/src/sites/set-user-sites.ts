import type * as devices from '@claviger/contracts/auth/v1/devices';
import { anyOf, type Tx } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { lockAdministration, requireAdministrator } from '../roles/roles-store.ts';
import type { AuthSchema } from '../schema.ts';
import { raiseEpoch } from '../sign-in/sessions-store.ts';
import { refuseSelf, requireCurrentActor, requireNotAbove } from '../users/user-permissions.ts';
import { lockUser } from '../users/users-store.ts';
import { currentSites, readSites, requireEverySite, requireSite } from './actor-sites.ts';
import type { SitesDeps } from './deps.ts';
import { storeUserSites } from './store-user-sites.ts';

/**
 * Restricts another user to these sites, or removes the restriction. Takes effect immediately, also for API
 * tokens.
 */
export function setUserSites(
  deps: Pick<SitesDeps, 'database' | 'emitter' | 'liveness'>,
): Handler<typeof devices.SitesService.setUserSites> {
  return async (request, context) => {
    const userId = request.userId;
    context.auditSubject = { type: 'user', id: userId };
    refuseSelf(context, userId, 'Ask another administrator.');
    const { restricted } = request;
    const siteIds = [...new Set(request.siteIds)].sort();
    if (!restricted && siteIds.length > 0) {
      throw ClavigerError.invalid('/siteIds', 'must be absent unless restricted is true');
    }
    const live = await deps.database.withTenant(context.tenantId, async (tx) => {
      await lockAdministration(tx);
      await lockUser(tx, userId);
      const holds = await requireCurrentActor(tx, context);
      // Also refuses users with sites that the actor does not have.
      await requireNotAbove(tx, context, holds, userId);
      const own = await currentSites(tx, context);
      if (!restricted) requireEverySite(own);
      for (const siteId of siteIds) requireSite(own, siteId);
      await requireSites(tx, siteIds);
      const before = await readSites(tx, userId);
      await storeUserSites(tx, context.tenantId, userId, restricted ? siteIds : undefined);
      if (restricted) await requireAdministrator(tx);
      const raised = await raiseEpoch(tx, [userId]);
      await deps.emitter.audit(tx, context, {
        details: { restricted, siteIds, restrictedBefore: before !== undefined, siteIdsBefore: before ?? [] },
      });
      return raised;
    });
    await deps.liveness.raise(live);
    return { restricted, siteIds };
  };
}

async function requireSites(tx: Tx<AuthSchema>, siteIds: readonly string[]): Promise<void> {
  const rows = await tx
    .selectFrom('sites')
    .select('id')
    .where('id', '=', anyOf(siteIds, 'uuid'))
    .orderBy('id')
    .forKeyShare()
    .execute();
  siteIds.forEach((siteId, index) => {
    if (!rows.some((row) => row.id === siteId)) {
      throw ClavigerError.invalid(`/siteIds/${index}`, 'is not the id of a site');
    }
  });
}
