import * as tenantLog from '@claviger/contracts/audit/v1/tenant_log';
import * as tenantStanding from '@claviger/contracts/cluster/v1/tenant_standing';
import * as tenantKeys from '@claviger/contracts/vault/v1/tenant_keys';
import type { BaseConfig, Peers, ServiceClient } from '@claviger/service-kit';

/** Another service that keeps state of tenants. */
export interface TenantStore {
  readonly service: string;
  readonly standing: ServiceClient<typeof tenantStanding.TenantStandingService>;
}

/** What auth asks of other services about tenants. A part that this installation does not have is absent. */
export interface TenantPeers {
  readonly stores: readonly TenantStore[];
  readonly keys: ServiceClient<typeof tenantKeys.TenantKeysService> | undefined;
  /** Replicas of the vault, each with keys in its own memory. */
  readonly vaultReplicas: number;
  readonly log: ServiceClient<typeof tenantLog.TenantLogService> | undefined;
}

export function tenantPeers(config: Pick<BaseConfig, 'peers'>, peers: Peers): TenantPeers {
  const names = (Object.keys(config.peers) as (keyof BaseConfig['peers'])[])
    .filter((name) => name !== 'auth' && config.peers[name] !== undefined)
    .sort();
  return {
    stores: names.map((service) => ({
      service,
      standing: peers.client(service, tenantStanding.TenantStandingService),
    })),
    keys: config.peers.vault && peers.client('vault', tenantKeys.TenantKeysService),
    vaultReplicas: config.peers.vault?.length ?? 0,
    log: config.peers.audit && peers.client('audit', tenantLog.TenantLogService),
  };
}
