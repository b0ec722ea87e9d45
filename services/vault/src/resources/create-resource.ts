import { randomUUID } from 'node:crypto';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { Handler } from '@claviger/service-kit';
import { requireDestination } from '../rights/require-destination.ts';
import { withUniqueName } from '../unique-names.ts';
import type { ResourcesDeps } from './deps.ts';
import { checkReferences } from './resource-references.ts';
import { resourceById, toResource } from './resource-store.ts';

export function createResource(deps: ResourcesDeps): Handler<typeof vault.ResourcesService.createResource> {
  return (request, context) =>
    withUniqueName('a resource', () =>
      deps.database.withTenant(context.tenantId, async (tx) => {
        const id = randomUUID();
        const { host, port, settings = {} } = request;
        const moduleId = request.moduleId || null;
        const adminEntryId = request.adminEntryId || null;
        const destination = { host, port, settings, moduleId, adminEntryId };
        await checkReferences(tx, destination);
        await requireDestination(tx, context, id, undefined, destination);
        await tx
          .insertInto('assets')
          .values({
            tenant_id: context.tenantId,
            id,
            name: request.name,
            type: request.type,
            module_id: moduleId,
            host,
            port,
            description: request.description,
            tags: request.tags,
            settings: JSON.stringify(settings),
            admin_entry_id: adminEntryId,
            owner_id: context.actor.userId,
            created_by: context.actor.userId,
          })
          .execute();
        await deps.emitter.audit(tx, context, { subject: { type: 'resource', id, resourceId: id }, request });
        return { resource: toResource(await resourceById(tx, id)) };
      }),
    );
}
