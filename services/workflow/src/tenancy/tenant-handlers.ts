import type * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import type { Handlers } from '@claviger/service-kit';
import { type TenantMeasures, tenantStatusHandlers } from '@claviger/tenancy';
import { sql } from 'kysely';
import { endSessionsOfTenant } from '../breakglass/end-sessions-of-tenant.ts';
import { endElevations } from '../elevation/end-elevations.ts';
import type { TenancyDeps } from './deps.ts';
import { endGrants } from './end-grants.ts';

/** Applies changes of the status of tenants. */
export function tenantHandlers(
  deps: Pick<TenancyDeps, 'database' | 'emitter' | 'logger'>,
): Handlers<typeof tenantStatus.TenantStatusService> {
  return tenantStatusHandlers({
    database: deps.database,
    onChange: async (tx, applied) => {
      if (applied.before !== 'active' || applied.status === 'active') return;
      const { tenantId, changedBy } = applied;
      const end = { tenantId, endedBy: changedBy, reason: 'The tenant was suspended.' };
      await endGrants(deps, tx, end);
      await endSessionsOfTenant(deps, tx, end);
      await endElevations(deps, tx, end);
    },
    describe: async (reader): Promise<TenantMeasures> => {
      const { rows } = await sql<Record<string, number>>`SELECT
          (SELECT count(*) FROM requests WHERE status = 'pending')::int8 AS "pendingRequests",
          (SELECT count(*) FROM grants WHERE status IN ('activating', 'active'))::int8 AS "liveGrants",
          (SELECT count(*) FROM grants WHERE sync_wanted IS NOT NULL)::int8 AS "untoldGrants"`.execute(
        reader,
      );
      return { measures: rows[0]! };
    },
  });
}
