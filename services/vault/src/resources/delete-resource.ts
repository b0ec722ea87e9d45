import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import { requireRowVersion } from '../ids.ts';
import type { ResourcesDeps } from './deps.ts';

/**
 * Refused while the resource has accounts. Deleted accounts lose their resource; their encrypted versions
 * stay.
 */
export function deleteResource(deps: ResourcesDeps): Handler<typeof vault.ResourcesService.deleteResource> {
  return async (request, context) => {
    context.auditSubject = { type: 'resource', id: request.resourceId, resourceId: request.resourceId };
    const id = request.resourceId;
    await deps.database.withTenant(context.tenantId, async (tx) => {
      // The creation of an account waits for this lock and then finds the resource deleted.
      const found = await tx
        .selectFrom('assets')
        .select(['name', 'row_version'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      if (!found) throw ClavigerError.notFound();
      requireRowVersion(request.rowVersion, found.row_version);
      const used = await tx
        .selectFrom('entries')
        .select('id')
        .where('asset_id', '=', id)
        .where('status', '=', 'active')
        .limit(1)
        .executeTakeFirst();
      if (used) {
        throw new ClavigerError('conflict', 'The resource still has accounts.', {
          code: 'in_use',
          hint: 'Delete its entries first.',
        });
      }
      await tx
        .updateTable('entries')
        .set({ asset_id: null, updated_at: sql<Date>`now()` })
        .where('asset_id', '=', id)
        .where('status', '=', 'deleted')
        .execute();
      await tx.deleteFrom('assets').where('id', '=', id).execute();
      await deps.emitter.audit(tx, context, {
        subject: { type: 'resource', id, resourceId: id },
        details: { name: found.name },
      });
    });
    return {};
  };
}
