import { rowMapper } from '@claviger/contracts';
import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import { pageOf, type Reader, type SortFields } from '@claviger/database';
import type { Selectable } from 'kysely';
import type { AuthSchema } from '../../schema.ts';
import { timeRange } from './time-range.ts';

/** Sort fields for billing events of all tenants. */
export const BILLING_EVENT_SORT: SortFields = {
  occurredAt: { column: 'billing_events.occurred_at', type: 'timestamptz' },
  kind: { column: 'billing_events.kind', type: 'text' },
};

/** Returns one page of billing events, of one tenant or of all. */
export function billingEventPage(
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
  return mapBillingEvent({ ...row, audit_event_id: row.id });
}
