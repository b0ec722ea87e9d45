import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { ResourcesDeps } from './deps.ts';
import { resourceById, toResource } from './resource-store.ts';

export function getResource(deps: ResourcesDeps): Handler<typeof vault.ResourcesService.getResource> {
  return async (request, context) => {
    const id = request.resourceId;
    const row = await deps.database.readTenant(context.tenantId, (reader) => resourceById(reader, id));
    return { resource: toResource(row) };
  };
}
