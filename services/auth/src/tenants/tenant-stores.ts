import { tenantKeys, tenantLog, tenantStanding } from '@claviger/contracts';
import type { BaseConfig, Peers, ServiceClient } from '@claviger/service-kit';

/** Another service that keeps state of tenants. */
export interface TenantStore {
  readonly service: string;
  readonly standing: ServiceClient<typeof tenantStanding.TenantStandingServiceService>;
}

/** What auth asks of other services about tenants. A part that this installation does not have is absent. */
export interface TenantPeers {
  readonly stores: readonly TenantStore[];
  readonly keys: ServiceClient<typeof tenantKeys.TenantKeysServiceService> | undefined;
  /** Replicas of the vault, each with keys in its own memory. */
  readonly vaultReplicas: number;
  readonly log: ServiceClient<typeof tenantLog.TenantLogServiceService> | undefined;
}

export function tenantPeers(config: Pick<BaseConfig, 'peers'>, peers: Peers): TenantPeers {
  const names = (Object.keys(config.peers) as (keyof BaseConfig['peers'])[])
    .filter((name) => name !== 'auth' && config.peers[name] !== undefined)
    .sort();
  return {
    stores: names.map((service) => ({
      service,
      standing: peers.client(service, tenantStanding.TenantStandingServiceService),
    })),
    keys: config.peers.vault && peers.client('vault', tenantKeys.TenantKeysServiceService),
    vaultReplicas: config.peers.vault?.length ?? 0,
    log: config.peers.audit && peers.client('audit', tenantLog.TenantLogServiceService),
  };
}
