import { rowMapper } from '@claviger/contracts';
import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { pageOf, type Reader, type SortFields } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import type { Selectable } from 'kysely';
import type { AuthDeps } from '../../deps.ts';
import { objectId } from '../../object-id.ts';
import type { AuthSchema } from '../../schema.ts';
import { timeRange } from './time-range.ts';

const OF_ALL: SortFields = {
  occurredAt: { column: 'billing_events.occurred_at', type: 'timestamptz' },
  kind: { column: 'billing_events.kind', type: 'text' },
};
const OF_ONE: SortFields = {
  ...OF_ALL,
  sequence: { column: 'billing_events.sequence', type: 'int8' },
};

/** In the order in which they happened, unless asked otherwise. */
export function listTenantBillingEvents(
  deps: AuthDeps,
): Handler<(typeof tenants.TenantsService)['listTenantBillingEvents']> {
  return async (request) => {
    const id = objectId(request.tenantId);
    return deps.database.system(async (tx) => {
      const tenant = await tx.selectFrom('tenants').select('id').where('id', '=', id).executeTakeFirst();
      if (!tenant) throw ClavigerError.notFound();
      return page(tx, request, OF_ONE, 'sequence', id);
    });
  };
}

/** Across tenants, read by the system role; whoever looks leaves an event. */
export function listBillingEvents(
  deps: AuthDeps,
): Handler<(typeof tenants.TenantsService)['listBillingEvents']> {
  return async (request, context) => {
    const found = await deps.database.system((tx) => page(tx, request, OF_ALL, 'occurredAt', undefined));
    await deps.database.withTenant(context.tenantId, (tx) =>
      deps.emitter.audit(tx, context, { subject: { type: 'billing-events', id: '' }, request }),
    );
    return found;
  };
}

function page(
  reader: Reader<AuthSchema>,
  request: tenants.ListBillingEventsRequest,
  sort: SortFields,
  defaultSort: string,
  tenantId: string | undefined,
) {
  const { from, before } = timeRange(request);
  let rows = reader.selectFrom('billing_events');
  if (tenantId) rows = rows.where('tenant_id', '=', tenantId);
  if (from) rows = rows.where('occurred_at', '>=', from);
  if (before) rows = rows.where('occurred_at', '<', before);
  if (request.kind) rows = rows.where('kind', '=', request.kind);
  return pageOf({
    request,
    query: rows.selectAll(),
    sort,
    defaultSort,
    tieBreaker: { column: 'billing_events.id', type: 'uuid' },
    map: billingEventMessage,
  });
}

const mapBillingEvent = rowMapper<tenants.BillingEvent>('claviger.auth.v1.BillingEvent');

function billingEventMessage(row: Selectable<AuthSchema['billing_events']>): tenants.BillingEvent {
  return mapBillingEvent({
    ...row,
    audit_event_id: row.id,
  });
}
