import type { Database } from '@claviger/database';
import { ClavigerError } from '@claviger/errors';
import type { AuthSchema } from '../schema.ts';
import type { LicenseDeps } from './deps.ts';
import { licenseInForce, platformTenantId } from './license-store.ts';

export type Limited = 'users' | 'tenants';

/** Counts people, or tenants that are not deprovisioned, of the whole installation. */
export function countUsed(database: Database<AuthSchema>, what: Limited): Promise<number> {
  return database.acrossTenants(async (tx) => {
    const row =
      what === 'users'
        ? await tx
            .selectFrom('users')
            .select(({ fn }) => fn.count<number>('id').as('used'))
            .where('kind', '=', 'person')
            .where('deleted_at', 'is', null)
            .executeTakeFirstOrThrow()
        : await tx
            .selectFrom('tenants')
            .select(({ fn }) => fn.count<number>('id').as('used'))
            .where('status', '<>', 'deprovisioned')
            .executeTakeFirstOrThrow();
    return row.used;
  });
}

/**
 * Throws `conflict` (`license_limit_reached`) if one more user or tenant would exceed the limit of a license
 * that enforces its limits. Without a license, or with an expired one, nothing is refused.
 */
export async function requireWithinLicense(
  deps: Pick<LicenseDeps, 'database'>,
  what: Limited,
): Promise<void> {
  const platformId = await platformTenantId(deps.database);
  const license = platformId ? await licenseInForce(deps.database, platformId) : undefined;
  const limit = license?.claims.enforce && !license.expired ? license.claims.limits[what] : undefined;
  if (limit === undefined || (await countUsed(deps.database, what)) < limit) return;
  throw new ClavigerError('conflict', `The license allows ${limit} ${what}, and all of them are in use.`, {
    code: 'license_limit_reached',
    hint: 'Delete what is no longer needed, or apply a license with a higher limit.',
  });
}
