import type { Tx } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';
import type { PolicyPlace } from './policy-place.ts';

/** What the tenant itself says at a place, locked; undefined for nothing. */
export function findPolicy(tx: Tx<AuthSchema>, tenantId: string, place: PolicyPlace) {
  return (
    tx
      .selectFrom('configuration_policies')
      .select(['id', 'row_version', 'uac_interception_enabled'])
      // Of the partner's rows another tenant sees those of the platform, too.
      .where('tenant_id', '=', tenantId)
      .where('feature', '=', place.feature)
      .where('scope', '=', place.scope)
      .where(sql<boolean>`(site_id, group_id, device_id) IS NOT DISTINCT FROM
        (${place.site_id}::uuid, ${place.group_id}::uuid, ${place.device_id}::uuid)`)
      .forUpdate()
      .executeTakeFirst()
  );
}
