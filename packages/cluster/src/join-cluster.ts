import type { Database } from '@claviger/database';
import { type BaseConfig, type Logger, type ReportAnomaly, readSecretFile } from '@claviger/service-kit';
import { type Cluster, createCluster } from './cluster.ts';
import { DEFAULT_TIMING, timingOf } from './election-rules.ts';

/** What of a service's configuration an election needs. */
export interface ClusterConfig extends Pick<BaseConfig, 'node' | 'redis'> {
  /** How long Redis keeps a leader that is not heard of; 3 seconds when absent. */
  readonly cluster?: { readonly leaseMs?: number | undefined } | undefined;
}

/** `createCluster` from a service's configuration. */
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
