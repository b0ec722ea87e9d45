import type * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import type { Handlers } from '@claviger/service-kit';
import { tenantStatusHandlers } from '@claviger/tenancy';
import { sql } from 'kysely';
import type { TenancyDeps } from './deps.ts';

/** Follows the status of tenants and reports the size and last activity of their logs. */
export function tenantHandlers(
  deps: Pick<TenancyDeps, 'database'>,
): Handlers<typeof tenantStatus.TenantStatusService> {
  return tenantStatusHandlers({
    database: deps.database,
    describe: async (reader) => {
      const { rows } = await sql<{ sealed: number; unsealed: number; last_at: Date | null }>`SELECT
          coalesce((SELECT size FROM trees WHERE tenant_id = current_tenant()), 0)::int8 AS sealed,
          (SELECT count(*) FROM events WHERE sequence IS NULL)::int8 AS unsealed,
          (SELECT max(occurred_at) FROM events) AS last_at`.execute(reader);
      const { sealed, unsealed, last_at } = rows[0]!;
      return { measures: { events: sealed + unsealed, unsealedEvents: unsealed }, lastActivityAt: last_at };
    },
  });
}
