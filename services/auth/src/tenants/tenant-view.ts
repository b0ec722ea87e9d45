import { rowMapper } from '@claviger/contracts';
import type * as tenants from '@claviger/contracts/auth/v1/tenants';
import type { Reader } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { TenantsDeps } from './deps.ts';

interface OrderJson {
  state: string;
  reason: string;
  ordered_by_name: string;
  ordered_at: string;
  confirm_until: string;
  confirmed_by_name: string | null;
  confirmed_at: string | null;
  destroy_at: string | null;
}

/** Tenants as the API shows them; requires the system role, which can read across tenants. */
export function tenantsQuery(reader: Reader<AuthSchema>) {
  return reader.selectFrom('tenants').select([
    'tenants.id',
    'tenants.name',
    'tenants.display_name',
    'tenants.status',
    'tenants.platform',
    'tenants.created_at',
    'tenants.status_changed_at',
    'tenants.status_reason',
    'tenants.version',
    sql<string[]>`coalesce((SELECT array_agg(d.service ORDER BY d.service) FROM standing_deliveries d
        WHERE d.tenant_id = tenants.id AND d.applied_version < d.wanted_version), '{}')`.as(
      'pending_services',
    ),
    sql<OrderJson | null>`(SELECT to_jsonb(o) FROM deprovision_orders o
        WHERE o.tenant_id = tenants.id AND (o.state IN ('confirmed', 'done')
          OR o.state = 'awaiting-confirmation' AND o.confirm_until > now())
        ORDER BY o.ordered_at DESC LIMIT 1)`.as('deprovision_order'),
  ]);
}

type TenantRow = Awaited<ReturnType<ReturnType<typeof tenantsQuery>['executeTakeFirstOrThrow']>>;

const mapTenant = rowMapper<tenants.Tenant>('claviger.auth.v1.Tenant');

export function tenantMessage(row: TenantRow): tenants.Tenant {
  const order = row.deprovision_order;
  return mapTenant({
    ...row,
    // Users cannot sign in any more, but a store has not confirmed the status yet.
    status: row.status === 'suspended' && row.pending_services.length > 0 ? 'suspending' : row.status,
    deprovisioning: order
      ? {
          state: order.state,
          reason: order.reason,
          orderedBy: order.ordered_by_name,
          orderedAt: iso(order.ordered_at)!,
          confirmUntil: iso(order.confirm_until),
          confirmedBy: order.confirmed_by_name ?? '',
          confirmedAt: iso(order.confirmed_at),
          destroyAt: iso(order.destroy_at),
        }
      : undefined,
  });
}

const iso = (time: string | null): string | undefined => (time ? new Date(time).toISOString() : undefined);

/** Throws `not_found`. */
export async function readTenant(deps: Pick<TenantsDeps, 'database'>, id: string): Promise<tenants.Tenant> {
  const row = await deps.database.system((tx) =>
    tenantsQuery(tx).where('tenants.id', '=', id).executeTakeFirst(),
  );
  if (!row) throw ClavigerError.notFound();
  return tenantMessage(row);
}
