import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { SortFields } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { TenantsDeps } from '../deps.ts';
import { BILLING_EVENT_SORT, billingEventPage } from './billing-event-page.ts';

const TENANT_SORT: SortFields = {
  ...BILLING_EVENT_SORT,
  sequence: { column: 'billing_events.sequence', type: 'int8' },
};

/** Lists billing events in the order of occurrence unless the request sorts otherwise. */
export function listTenantBillingEvents(
  deps: TenantsDeps,
): Handler<typeof tenants.TenantsService.listTenantBillingEvents> {
  return async (request) => {
    const id = request.tenantId;
    return deps.database.acrossTenants(async (tx) => {
      const tenant = await tx.selectFrom('tenants').select('id').where('id', '=', id).executeTakeFirst();
      if (!tenant) throw ClavigerError.notFound();
      return billingEventPage(tx, request, TENANT_SORT, 'sequence', id);
    });
  };
}
