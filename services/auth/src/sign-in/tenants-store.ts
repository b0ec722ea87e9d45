import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

export const DEFAULT_TENANT = 'default';

export interface TenantEntry {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
}

/** By short name; `default` when empty. One that is being wound down has given its name back. */
export async function findTenant(
  database: Database<AuthSchema>,
  name: string,
): Promise<TenantEntry | undefined> {
  const row = await database.system((tx) =>
    tx
      .selectFrom('tenants')
      .select(['id', 'name', 'status'])
      .where('name', '=', name || DEFAULT_TENANT)
      .where(sql<boolean>`status IN ('active', 'suspended')`)
      .executeTakeFirst(),
  );
  return row && { id: row.id, name: row.name, active: row.status === 'active' };
}
