import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { PolicyPlace } from './policy-place.ts';

/** Returns and locks the tenant's own policy row at a place; undefined if there is none. */
export function findPolicy(tx: Tx<AuthSchema>, tenantId: string, place: PolicyPlace) {
  return (
    tx
      .selectFrom('configuration_policies')
      .select(['id', 'row_version', 'uac_interception_enabled'])
      // Row-level security also shows the partner rows of the platform to other tenants.
      .where('tenant_id', '=', tenantId)
      .where('feature', '=', place.feature)
      .where('scope', '=', place.scope)
      .where(sql<boolean>`(site_id, group_id, device_id) IS NOT DISTINCT FROM
        (${place.site_id}::uuid, ${place.group_id}::uuid, ${place.device_id}::uuid)`)
      .forUpdate()
      .executeTakeFirst()
  );
}
