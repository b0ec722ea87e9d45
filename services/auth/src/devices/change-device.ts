import type { Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';
import { currentSites, requireSite, type Sites } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DevicesDeps } from './deps.ts';
import { type LockedDevice, lockDevice } from './devices-store.ts';

/**
 * Checks the current permissions and sites of the actor, then runs `work` with the device locked. Throws
 * `not_found` for an unknown device, `site_denied` for one outside the actor's sites.
 */
export async function changeDevice<T>(
  deps: Pick<DevicesDeps, 'database'>,
  context: CallContext,
  deviceId: string,
  work: (tx: Tx<AuthSchema>, device: LockedDevice, sites: Sites) => Promise<T>,
): Promise<T> {
  context.auditSubject = { type: 'device', id: deviceId };
  return deps.database.withTenant(context.tenantId, async (tx) => {
    await requireCurrentActor(tx, context);
    const sites = await currentSites(tx, context);
    const device = await lockDevice(tx, deviceId);
    requireSite(sites, device.siteId);
    return work(tx, device, sites);
  });
}
