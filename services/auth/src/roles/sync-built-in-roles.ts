import type { Leadership } from '@claviger/cluster';
import type { Database } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import { BUILT_IN_ROLES } from './built-in-roles.ts';

/**
 * Updates the built-in roles of every tenant to this version, because an upgrade may add permissions. Returns
 * the number of changed roles.
 */
export async function syncBuiltInRoles(
  database: Database<AuthSchema>,
  leadership: Leadership,
): Promise<number> {
  const tenants = await database.system((tx) =>
    tx.selectFrom('tenants').select('id').orderBy('id').execute(),
  );
  let changed = 0;
  for (const { id } of tenants) {
    if (leadership.signal.aborted) return changed;
    changed += await database.withTenant(id, async (tx) => {
      await leadership.assert(tx);
      let ofTenant = 0;
      for (const { name, description, permissions } of BUILT_IN_ROLES) {
        const updated = await tx
          .updateTable('roles')
          .set({
            description,
            permissions: [...permissions],
            row_version: sql<number>`row_version + 1`,
          })
          .where('name', '=', name)
          .where('built_in', '=', true)
          .where((eb) =>
            eb.or([
              eb('description', '<>', description),
              sql<boolean>`permissions <> ${[...permissions]}::text[]`,
            ]),
          )
          .executeTakeFirst();
        ofTenant += Number(updated.numUpdatedRows);
      }
      return ofTenant;
    });
  }
  return changed;
}
