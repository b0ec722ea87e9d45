import type { Database } from '@claviger/database';
import type { AuthSchema } from '../schema.ts';
import { type LicenseClaims, readLicense } from './verify-license.ts';

export interface LicenseInForce {
  readonly claims: LicenseClaims;
  readonly keyId: string;
  readonly token: string;
  readonly version: number;
  readonly appliedBy: string;
  readonly appliedAt: Date;
  /** By the clock of the database. */
  readonly expired: boolean;
}

/**
 * Returns the id of the tenant that runs the installation, which is also the installation id. Undefined
 * before set-up.
 */
export async function platformTenantId(database: Database<AuthSchema>): Promise<string | undefined> {
  const row = await database.system((tx) =>
    tx.selectFrom('tenants').select('id').where('platform', '=', true).executeTakeFirst(),
  );
  return row?.id;
}

/** Returns the license that was applied last. */
export async function licenseInForce(
  database: Database<AuthSchema>,
  platformId: string,
): Promise<LicenseInForce | undefined> {
  return database.readTenant(platformId, async (reader) => {
    const row = await reader
      .selectFrom('licences')
      .selectAll()
      .select(({ fn }) => fn<Date>('now').as('now'))
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!row) return undefined;
    const { claims, keyId } = readLicense(row.token);
    return {
      claims,
      keyId,
      token: row.token,
      version: row.version,
      appliedBy: row.applied_by,
      appliedAt: row.created_at,
      expired: claims.exp !== undefined && claims.exp * 1_000 <= row.now.getTime(),
    };
  });
}
