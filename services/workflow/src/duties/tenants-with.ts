import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { WorkflowSchema } from '../schema.ts';

/**
 * The tenants with rows in a table. It steps from tenant to tenant by the primary key, because the table can
 * have millions of rows.
 */
export async function tenantsWith(
  database: Database<WorkflowSchema>,
  table: 'evaluations' | 'assistant_exchanges',
): Promise<string[]> {
  const name = sql.table(table);
  const { rows } = await database.system((tx) =>
    sql<{ tenant_id: string }>`
      WITH RECURSIVE found AS (
        (SELECT tenant_id FROM ${name} ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.tenant_id FROM ${name} e WHERE e.tenant_id > found.tenant_id ORDER BY e.tenant_id LIMIT 1)
        FROM found WHERE found.tenant_id IS NOT NULL
      ) SELECT tenant_id FROM found WHERE tenant_id IS NOT NULL`.execute(tx),
  );
  return rows.map(({ tenant_id }) => tenant_id);
}
