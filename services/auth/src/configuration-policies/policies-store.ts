import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Reader } from '@claviger/database';
import { sql } from 'kysely';
import type { AuthSchema } from '../schema.ts';

/** Scope id of the partner and organization levels, which exist once. */
export const SINGLE_SCOPE_ID = 'default';

export const scopeIdOfPolicy = sql<string>`coalesce(configuration_policies.site_id::text,
  configuration_policies.group_id::text, configuration_policies.device_id::text, 'default')`;

/** Policies of all levels, with the name of the site, group or device. */
export function policiesQuery(reader: Reader<AuthSchema>) {
  return reader
    .selectFrom('configuration_policies')
    .leftJoin('sites', 'sites.id', 'configuration_policies.site_id')
    .leftJoin('device_groups', 'device_groups.id', 'configuration_policies.group_id')
    .leftJoin('devices', 'devices.id', 'configuration_policies.device_id')
    .select([
      'configuration_policies.id',
      'configuration_policies.tenant_id',
      'configuration_policies.feature',
      'configuration_policies.scope',
      scopeIdOfPolicy.as('scope_id'),
      sql<string>`coalesce(sites.name, device_groups.name, devices.hostname, '')`.as('scope_name'),
      'configuration_policies.uac_interception_enabled',
      'configuration_policies.updated_by',
      'configuration_policies.updated_at',
      'configuration_policies.row_version',
    ]);
}

export type PolicyRow = Awaited<ReturnType<ReturnType<typeof policiesQuery>['executeTakeFirstOrThrow']>>;

/** Maps a row. Hides from other tenants who changed the policy of the partner. */
export function policyMessage(tenantId: string): (row: PolicyRow) => devices.ConfigurationPolicy {
  return (row) => ({
    feature: row.feature,
    scope: row.scope,
    scopeId: row.scope_id,
    scopeName: row.scope_name,
    pam: { uacInterceptionEnabled: row.uac_interception_enabled ?? undefined },
    updatedBy: row.tenant_id === tenantId ? row.updated_by : '',
    updatedAt: row.updated_at.toISOString(),
    rowVersion: row.row_version,
  });
}
