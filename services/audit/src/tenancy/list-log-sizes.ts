import type * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { TenancyDeps } from './deps.ts';

const PAGE = 500;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Lists the log sizes of all tenants, ordered by tenant id. */
export function listLogSizes(deps: TenancyDeps): Handler<typeof tenantLog.TenantLogService.listLogSizes> {
  return async ({ afterTenantId }) => {
    const rows = await deps.database.system((tx) =>
      tx
        .selectFrom('trees')
        .select(['tenant_id', 'size'])
        .where('tenant_id', '>', sql<string>`${afterTenantId || BEFORE_ALL}::uuid`)
        .orderBy('tenant_id')
        .limit(PAGE)
        .execute(),
    );
    return { items: rows.map((row) => ({ tenantId: row.tenant_id, size: row.size })) };
  };
}
