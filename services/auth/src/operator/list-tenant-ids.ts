import type * as auth from '@claviger/contracts/auth/v1/auth';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { OperatorDeps } from './deps.ts';

const PAGE = 500;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Lists the ids of all tenants in order, whatever their status. */
export function listTenantIds(
  deps: Pick<OperatorDeps, 'database'>,
): Handler<typeof auth.OperatorService.listTenantIds> {
  return async ({ afterTenantId }) => {
    const rows = await deps.database.system((tx) =>
      tx
        .selectFrom('tenants')
        .select('id')
        .where('id', '>', sql<string>`${afterTenantId || BEFORE_ALL}::uuid`)
        .orderBy('id')
        .limit(PAGE)
        .execute(),
    );
    return { tenantIds: rows.map((row) => row.id) };
  };
}
