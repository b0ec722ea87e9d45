import type { tenants } from '@claviger/contracts';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { AuthDeps } from '../deps.ts';
import { objectId } from '../object-id.ts';

/** Not found until the keys are destroyed. */
export function getDeletionRecord(
  deps: AuthDeps,
): Handler<(typeof tenants.TenantsServiceService)['getDeletionRecord']> {
  return async (request) => {
    const id = objectId(request.tenantId);
    const row = await deps.database.system((tx) =>
      tx.selectFrom('deletion_records').selectAll().where('tenant_id', '=', id).executeTakeFirst(),
    );
    if (!row) throw ClavigerError.notFound();
    return { record: row.record, keyId: row.key_id, signedAt: row.signed_at.toISOString() };
  };
}
