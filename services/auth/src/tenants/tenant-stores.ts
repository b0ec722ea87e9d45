import * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import * as tenantStatus from '@claviger/contracts/cluster/v1/tenant_status';
import * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import {
  type BaseConfig,
  type CallOptions,
  type Peers,
  requireEvery,
  type ServiceClient,
} from '@claviger/service-kit';

/** Another service that keeps data of tenants. */
export interface TenantStore {
  readonly service: string;
  readonly client: ServiceClient<typeof tenantStatus.TenantStatusService>;
}

/**
 * Clients for other services' data of tenants; undefined for a service that this installation does not have.
 */
export interface TenantPeers {
  readonly stores: readonly TenantStore[];
  /**
   * Destroys a tenant's keys in the vault and in the memory of each of its replicas. Throws unless all
   * confirm.
   */
  readonly destroyKeys:
    | ((
        request: tenantKeys.DestroyTenantKeysRequest,
        options: CallOptions,
      ) => Promise<tenantKeys.DestroyTenantKeysResponse>)
    | undefined;
  readonly log: ServiceClient<typeof tenantLog.TenantLogService> | undefined;
}

export function tenantPeers(config: Pick<BaseConfig, 'peers'>, peers: Peers): TenantPeers {
  const names = (Object.keys(config.peers) as (keyof BaseConfig['peers'])[])
    .filter((name) => name !== 'auth' && config.peers[name] !== undefined)
    .sort();
  return {
    stores: names.map((service) => ({
      service,
      client: peers.client(service, tenantStatus.TenantStatusService),
    })),
    destroyKeys:
      config.peers.vault &&
      (async (request, options) => {
        const answers = await peers.each('vault', tenantKeys.TenantKeysService, (replica) =>
          replica.destroyTenantKeys(request, options),
        );
        return requireEvery('vault', answers)[0]!;
      }),
    log: config.peers.audit && peers.client('audit', tenantLog.TenantLogService),
  };
}
