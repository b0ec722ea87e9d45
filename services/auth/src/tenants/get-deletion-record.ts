import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { TenantsDeps } from './deps.ts';
import { readTenant } from './tenant-view.ts';

/** Returns the signed record. Throws `not_found` until the keys are destroyed. */
export function getDeletionRecord(
  deps: TenantsDeps,
): Handler<typeof tenants.TenantsService.getDeletionRecord> {
  return async (request) => {
    const id = request.tenantId;
    const row = await deps.database.system((tx) =>
      tx.selectFrom('deletion_records').selectAll().where('tenant_id', '=', id).executeTakeFirst(),
    );
    if (!row) {
      const { deprovisioning } = await readTenant(deps, id);
      throw new ClavigerError('not_found', 'This tenant has no deletion record yet.', {
        hint: `It is created when the keys are destroyed: ${whenDestroyed(deprovisioning)}.`,
      });
    }
    return { record: row.record, keyId: row.key_id, signedAt: row.signed_at.toISOString() };
  };
}

function whenDestroyed(order: tenants.Deprovisioning | undefined): string {
  if (!order) return 'no deprovisioning was ordered';
  return order.destroyAt ? `due at ${order.destroyAt}` : 'the order awaits confirmation by a second person';
}
