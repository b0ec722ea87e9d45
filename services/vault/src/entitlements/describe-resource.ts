import type * as vault from '@claviger/contracts/vault/v1/vault';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { EntitlementsDeps } from './deps.ts';

export function describeResource(
  deps: EntitlementsDeps,
): Handler<typeof vault.EntitlementsService.describeResource> {
  return async (request, context) => {
    const id = request.resourceId;
    const row = await deps.database.readTenant(context.tenantId, (reader) =>
      reader
        .selectFrom('assets')
        .leftJoin('modules', 'modules.id', 'assets.module_id')
        .select(['assets.name', 'modules.type as module_type'])
        .where('assets.id', '=', id)
        .executeTakeFirst(),
    );
    if (!row) throw ClavigerError.notFound();
    return { resourceId: id, resourceName: row.name, moduleType: row.module_type ?? '' };
  };
}
