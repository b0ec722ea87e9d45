import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import type { ReplicaDetails } from './cluster.ts';
import type { HeardReplica } from './election-store.ts';

/** One replica for the cluster status, from its record in Redis. */
export function describeReplica(
  { node, silentMs, details }: HeardReplica<ReplicaDetails>,
  at: {
    readonly now: number;
    readonly leaseMs: number;
    readonly leader: string;
    readonly isDemoted: boolean;
  },
): replicas.Replica {
  const leads = node === at.leader;
  const told = details.role ?? 'follower';
  const role =
    silentMs >= at.leaseMs
      ? 'silent'
      : leads
        ? 'leader'
        : at.isDemoted
          ? 'demoted'
          : told === 'leader'
            ? 'follower'
            : told;
  return {
    node,
    role,
    term: details.term ?? 0,
    lastHeartbeatAt: new Date(at.now - Math.max(0, silentMs)).toISOString(),
    startedAt: new Date(details.startedAt ?? at.now).toISOString(),
    version: details.version ?? '',
    duties: leads
      ? (details.duties ?? []).map((duty) => ({
          name: duty.name,
          waiting: duty.waiting ?? 0,
          oldestMs: Math.round(duty.oldestMs ?? 0),
          failures: duty.failures,
          lastRunAt: duty.lastRunAt === undefined ? undefined : new Date(duty.lastRunAt).toISOString(),
        }))
      : [],
  };
}
