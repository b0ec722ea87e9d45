import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../ids.ts';
import { activeUsers } from '../rights/active-users.ts';
import { resourceRight } from '../rights/resource-right.ts';
import type { ResourcesDeps } from './deps.ts';
import { resourceById, toResource } from './resource-store.ts';

/**
 * Changes the owner of a resource, who may adopt its entries. Only the owner and administrators of secrets
 * may call it.
 */
export function putResourceOwner(
  deps: ResourcesDeps,
): Handler<typeof vault.ResourcesService.putResourceOwner> {
  return async (request, context) => {
    context.auditSubject = { type: 'resource', id: request.resourceId, resourceId: request.resourceId };
    const id = request.resourceId;
    const { ownerId } = request;
    const active = (await activeUsers(deps, context, [ownerId])).has(ownerId);
    return deps.database.withTenant(context.tenantId, async (tx) => {
      const before = await tx
        .selectFrom('assets')
        .select(['id', 'owner_id', 'row_version'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!before) throw ClavigerError.notFound();
      const basis = resourceRight(context.actor, before);
      if (!basis) {
        throw new ClavigerError('denied', 'Only the owner of a resource can change its owner.', {
          hint: 'Ask the owner, or an actor with vault.entries.retrieve-any.',
        });
      }
      if (!active) throw ClavigerError.invalid('/ownerId', 'is not the id of an active user');
      requireRowVersion(request.rowVersion, before.row_version);
      await tx
        .updateTable('assets')
        .set({
          owner_id: ownerId,
          row_version: before.row_version + 1,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute();
      await deps.emitter.audit(tx, context, {
        subject: { type: 'resource', id, resourceId: id },
        details: { basis, before: { ownerId: before.owner_id }, after: { ownerId } },
      });
      return { resource: toResource(await resourceById(tx, id)) };
    });
  };
}
