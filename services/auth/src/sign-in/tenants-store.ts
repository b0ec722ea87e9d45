import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

export const DEFAULT_TENANT = 'default';

export interface TenantEntry {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
}

/**
 * Finds an active or suspended tenant by its short name; `default` if empty. A deprovisioned tenant has
 * released its name.
 */
export async function findTenant(
  database: Database<AuthSchema>,
  name: string,
): Promise<TenantEntry | undefined> {
  return (await findSignInTenant(database, name)).tenant;
}

/** Also returns the platform's tenant: its audit log records sign-ins to unknown tenants. */
export async function findSignInTenant(
  database: Database<AuthSchema>,
  name: string,
): Promise<{ tenant: TenantEntry | undefined; platformId: string | undefined }> {
  const rows = await database.system((tx) =>
    tx
      .selectFrom('tenants')
      .select(['id', 'name', 'status', 'platform'])
      .where(
        sql<boolean>`(name = ${name || DEFAULT_TENANT} AND status IN ('active', 'suspended')) OR platform`,
      )
      .execute(),
  );
  const row = rows.find((each) => each.name === (name || DEFAULT_TENANT));
  return {
    tenant: row && { id: row.id, name: row.name, active: row.status === 'active' },
    platformId: rows.find((each) => each.platform)?.id,
  };
}
