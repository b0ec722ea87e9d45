import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import type { VaultDeps } from '../deps.ts';
import { requireId } from '../ids.ts';
import { resourceById, toResource } from './resource-rows.ts';

export function getResource(deps: VaultDeps): Handler<typeof vault.ResourcesService.getResource> {
  return async (request, context) => {
    const id = requireId(request.resourceId);
    const row = await deps.database.readTenant(context.tenantId, (reader) => resourceById(reader, id));
    return { resource: toResource(row) };
  };
}
