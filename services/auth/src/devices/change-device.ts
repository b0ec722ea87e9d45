import type { Tx } from '@claviger/database';
import type { CallContext } from '@claviger/service-kit';
import { objectId } from '../object-id.ts';
import type { AuthSchema } from '../schema.ts';
import { requireSite, type Sites, sitesNow } from '../sites/actor-sites.ts';
import { actingNow } from '../users/standing.ts';
import type { DevicesDeps } from './deps.ts';
import { type LockedDevice, lockDevice } from './devices-store.ts';

/**
 * A change of one device by a person: who they are now, the device locked, within their sites. Throws `not_found` for a
 * device that the tenant does not have, `site_denied` for one outside.
 */
export async function changeDevice<T>(
  deps: Pick<DevicesDeps, 'database'>,
  context: CallContext,
  deviceIdText: string,
  work: (tx: Tx<AuthSchema>, device: LockedDevice, sites: Sites) => Promise<T>,
): Promise<T> {
  const deviceId = objectId(deviceIdText);
  context.auditSubject = { type: 'device', id: deviceId };
  return deps.database.withTenant(context.tenantId, async (tx) => {
    await actingNow(tx, context);
    const sites = await sitesNow(tx, context);
    const device = await lockDevice(tx, deviceId);
    requireSite(sites, device.siteId);
    return work(tx, device, sites);
  });
}
