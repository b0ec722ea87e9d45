import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Handler } from '@claviger/service-kit';
import type { TenantsDeps } from '../deps.ts';
import { BILLING_EVENT_SORT, billingEventPage } from './billing-event-page.ts';

/** Lists billing events across tenants with the system role; each call records an event. */
export function listBillingEvents(
  deps: TenantsDeps,
): Handler<typeof tenants.TenantsService.listBillingEvents> {
  return async (request, context) => {
    const found = await deps.database.acrossTenants((tx) =>
      billingEventPage(tx, request, BILLING_EVENT_SORT, 'occurredAt', undefined),
    );
    await deps.database.withTenant(context.tenantId, (tx) =>
      deps.emitter.audit(tx, context, { subject: { type: 'billing-events', id: '' }, request }),
    );
    return found;
  };
}
