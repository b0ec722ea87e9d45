import type { TenantMeasures } from '@claviger/tenancy';
import { sql } from 'kysely';
import type { VaultReader } from '../schema.ts';

/** Counts of the tenant's objects. Failed rotations: those of the last 30 days, and all that are in doubt. */
export async function describeTenant(reader: VaultReader): Promise<TenantMeasures> {
  const { rows } = await sql<Record<string, number>>`SELECT
    (SELECT count(*) FROM assets)::int8 AS "resources",
    (SELECT count(*) FROM entries WHERE status = 'active')::int8 AS "entries",
    (SELECT count(*) FROM entitlements WHERE removed_at IS NULL AND expires_at > now())::int8 AS "liveEntitlements",
    (SELECT count(*) FROM rotations WHERE finished_at IS NULL)::int8 AS "openRotations",
    (SELECT count(*) FROM rotations WHERE state = 'ambiguous'
      OR state IN ('refused', 'out_of_sync') AND finished_at > now() - interval '30 days')::int8 AS "failedRotations",
    (SELECT count(*) FROM keks WHERE destroyed_at IS NULL)::int8 AS "keys",
    (SELECT coalesce(sum(octet_length(ciphertext)), 0) FROM entry_versions)::int8 AS "storageBytes"`.execute(
    reader,
  );
  return { measures: rows[0]! };
}
