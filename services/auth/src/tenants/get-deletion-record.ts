import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { objectId } from '../object-id.ts';
import type { TenantsDeps } from './deps.ts';
import { readTenant } from './tenant-view.ts';

/** Not found until the keys are destroyed. */
export function getDeletionRecord(
  deps: TenantsDeps,
): Handler<typeof tenants.TenantsService.getDeletionRecord> {
  return async (request) => {
    const id = objectId(request.tenantId);
    const row = await deps.database.system((tx) =>
      tx.selectFrom('deletion_records').selectAll().where('tenant_id', '=', id).executeTakeFirst(),
    );
    if (!row) {
      const { deprovisioning } = await readTenant(deps, id);
      throw new ClavigerError('not_found', 'There is no deletion record of this tenant yet.', {
        hint: `It is made when the keys are destroyed: ${whenDestroyed(deprovisioning)}.`,
      });
    }
    return { record: row.record, keyId: row.key_id, signedAt: row.signed_at.toISOString() };
  };
}

function whenDestroyed(order: tenants.Deprovisioning | undefined): string {
  if (!order) return 'nobody has ordered to wind the tenant down';
  return order.destroyAt ? `due at ${order.destroyAt}` : 'the order still waits for a second person';
}
