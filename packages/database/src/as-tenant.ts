import { sql } from 'kysely';
import type { Tx } from './database.ts';

/**
 * Runs a part of a transaction as another tenant, so that changes to two tenants commit together. Only for
 * the platform's own operations on tenants. When `work` throws, the transaction must be rolled back.
 */
export async function asTenant<DB, T>(tx: Tx<DB>, tenantId: string, work: () => Promise<T>): Promise<T> {
  const { rows } = await sql<{ before: string }>`SELECT current_setting('app.tenant_id') AS before,
    set_config('app.tenant_id', ${tenantId}, true)`.execute(tx);
  const result = await work();
  await sql`SELECT set_config('app.tenant_id', ${rows[0]!.before}, true)`.execute(tx);
  return result;
}
