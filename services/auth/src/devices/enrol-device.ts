import { randomUUID } from 'node:crypto';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import { isUniqueViolation, requireActiveTenant } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { issueAgentToken } from '../agents/agent-tokens-store.ts';
import type { DeviceOs } from '../schema.ts';
import { currentSites, requestedSite } from '../sites/actor-sites.ts';
import { requireCurrentActor } from '../users/user-permissions.ts';
import type { DevicesDeps } from './deps.ts';
import { readDevice } from './devices-store.ts';
import { linkedResource } from './linked-resource.ts';

/**
 * Creates a device and the token of its agent. If the request names a resource, the device gets the id of
 * that resource.
 */
export function enrolDevice(
  deps: Pick<DevicesDeps, 'database' | 'emitter' | 'resources'>,
): Handler<typeof devices.DevicesService.enrolDevice> {
  return async (request, context) => {
    const { tenantId } = context;
    // Before the transaction, so that no lock is held during the call to the vault.
    const resourceId = request.resourceId
      ? await linkedResource(deps.resources, context, request.resourceId)
      : undefined;
    const id = resourceId ?? randomUUID();
    context.auditSubject = { type: 'device', id, ...(resourceId ? { resourceId } : {}) };
    try {
      return await deps.database.withTenant(tenantId, async (tx) => {
        await requireActiveTenant(tx);
        await requireCurrentActor(tx, context);
        const sites = await currentSites(tx, context);
        const siteId = await requestedSite(tx, sites, request.siteId);
        await tx
          .insertInto('devices')
          .values({
            tenant_id: tenantId,
            id,
            hostname: request.hostname,
            site_id: siteId,
            os: request.os as DeviceOs,
            linked_to_resource: resourceId !== undefined,
            enrolled_by: context.actor.userId,
            last_seen_at: null,
            decommissioned_at: null,
          })
          .execute();
        const agentToken = await issueAgentToken(tx, tenantId, id);
        await deps.emitter.audit(tx, context, { request });
        return { device: await readDevice(tx, id, sites), agentToken };
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new ClavigerError('already_exists', 'This resource is already enrolled as a device.', {
        code: 'device_exists',
        hint: 'Rotate the agent token of the existing device.',
      });
    }
  };
}
