import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import type { ReplicaDetails } from './cluster.ts';
import { describeReplica } from './describe-replica.ts';
import { DEFAULT_TIMING } from './election-rules.ts';
import { createElectionStore, type RedisAddress } from './election-store.ts';

/** The replicas of a service without duties, as reported by `registerReplica`. */
export interface RegisteredReplicas {
  describe(): Promise<replicas.ServiceReplicas>;
  close(): void;
}

export function createRegisteredReplicas(service: string, redis: RedisAddress): RegisteredReplicas {
  const store = createElectionStore<ReplicaDetails>(service, redis, DEFAULT_TIMING.renewMs);
  return {
    close: () => store.close(),
    describe: async () => {
      const heard = await store.list().catch(() => undefined);
      const now = Date.now();
      return {
        service,
        leader: '',
        term: 0,
        termBeganAt: undefined,
        nominee: '',
        problem: heard ? '' : 'Redis does not answer: the replicas are unknown.',
        replicas: (heard?.replicas ?? [])
          .toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }))
          .map((each) =>
            describeReplica(each, { now, leaseMs: DEFAULT_TIMING.leaseMs, leader: '', isDemoted: false }),
          ),
        demoted: [],
      };
    },
  };
}
