import { sql } from 'kysely';
import type { Tx } from './database.ts';

/**
 * A part of a transaction in the name of another tenant, so that what concerns two of them is done for both or for none. For
 * the platform's own operations on tenants only. When `work` throws, the transaction must be given up.
 */
export async function asTenant<DB, T>(tx: Tx<DB>, tenantId: string, work: () => Promise<T>): Promise<T> {
  const { rows } = await sql<{ before: string }>`SELECT current_setting('app.tenant_id') AS before,
    set_config('app.tenant_id', ${tenantId}, true)`.execute(tx);
  const result = await work();
  await sql`SELECT set_config('app.tenant_id', ${rows[0]!.before}, true)`.execute(tx);
  return result;
}
