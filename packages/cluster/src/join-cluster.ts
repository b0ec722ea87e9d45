import type { Database } from '@claviger/database';
import { type BaseConfig, type Logger, type ReportAnomaly, readSecretFile } from '@claviger/service-kit';
import { type Cluster, createCluster } from './cluster.ts';
import { DEFAULT_TIMING, timingOf } from './election-rules.ts';

/** The part of a service's configuration that an election needs. */
export interface ClusterConfig extends Pick<BaseConfig, 'node' | 'redis'> {
  /** How long Redis keeps the lease of a silent leader; 3 seconds by default. */
  readonly cluster?: { readonly leaseMs?: number | undefined } | undefined;
}

/** Calls `createCluster` with a service's configuration. */
export function joinCluster<DB>(options: {
  readonly service: string;
  readonly version: string;
  readonly config: ClusterConfig;
  readonly database: Database<DB>;
  readonly logger: Logger;
  readonly mayLead?: () => boolean;
  readonly reportAnomaly?: ReportAnomaly;
}): Cluster {
  const { config, ...rest } = options;
  const { host, port, passwordFile } = config.redis;
  const leaseMs = config.cluster?.leaseMs;
  return createCluster({
    ...rest,
    node: config.node,
    redis: { host, port, password: readSecretFile(passwordFile) },
    timing: leaseMs === undefined ? DEFAULT_TIMING : timingOf(leaseMs),
  });
}
