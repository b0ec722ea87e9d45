import type * as devices from '@claviger/contracts/auth/v1/devices';
import { pageOf, type SortFields } from '@claviger/database';
import type { Handler } from '@claviger/service-kit';
import { sql } from 'kysely';
import type { ConfigurationScope } from '../schema.ts';
import type { ConfigurationPoliciesDeps } from './deps.ts';
import { policiesQuery, policyMessage } from './policies-store.ts';

const SORT: SortFields = {
  scope: { column: 'configuration_policies.scope', type: 'text' },
  updatedAt: { column: 'configuration_policies.updated_at', type: 'timestamptz' },
  createdAt: { column: 'configuration_policies.created_at', type: 'timestamptz' },
};

/**
 * Lists policies of all levels, including the partner's. For site-restricted users, leaves out the policies
 * of other sites and of the devices there.
 */
export function listConfigurationPolicies(
  deps: Pick<ConfigurationPoliciesDeps, 'database'>,
): Handler<typeof devices.ConfigurationPoliciesService.listConfigurationPolicies> {
  return (request, context) =>
    deps.database.readTenant(context.tenantId, (reader) => {
      const sites = context.actor.siteIds;
      const query = policiesQuery(reader)
        .$if(request.feature !== '', (all) =>
          all.where('configuration_policies.feature', '=', request.feature as 'pam'),
        )
        .$if(request.scope !== '', (all) =>
          all.where('configuration_policies.scope', '=', request.scope as ConfigurationScope),
        )
        .$if(sites !== undefined, (all) =>
          all.where(
            sql<boolean>`(configuration_policies.scope IN ('partner', 'organization', 'group')
              OR configuration_policies.site_id = ANY(${[...(sites ?? [])]}::uuid[])
              OR devices.site_id = ANY(${[...(sites ?? [])]}::uuid[]))`,
          ),
        );
      return pageOf({
        request,
        query,
        sort: SORT,
        defaultSort: 'scope',
        tieBreaker: { column: 'configuration_policies.id', type: 'uuid' },
        map: policyMessage(context.tenantId),
      });
    });
}
