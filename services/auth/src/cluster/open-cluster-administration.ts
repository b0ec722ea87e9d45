import {
  type Cluster,
  createRegisteredReplicas,
  createServiceReplicas,
  replicaHandlers,
} from '@claviger/cluster';
import { clusterAdmin, replicas } from '@claviger/contracts';
import { createPeers, type RpcServer, readSecretFile } from '@claviger/service-kit';
import type { AuthConfig } from '../config.ts';
import { type ClusterDeps, replicasClients } from './cluster-deps.ts';
import { demoteNode } from './demote-node.ts';
import { getClusterStatus } from './get-cluster-status.ts';
import { promoteNode } from './promote-node.ts';
import { readmitNode } from './readmit-node.ts';

/** Adds auth's own `ReplicasService` and the operators' view of all services; answers what closes its connections. */
export function openClusterAdministration(
  rpc: RpcServer,
  options: Pick<ClusterDeps, 'database' | 'emitter' | 'logger'> & {
    readonly config: AuthConfig;
    readonly cluster: Cluster;
  },
): Disposable {
  const { config, cluster, ...rest } = options;
  const { host, port, passwordFile } = config.redis;
  const peers = createPeers(config);
  const deps: ClusterDeps = {
    ...rest,
    own: createServiceReplicas(cluster, options.database),
    gateways: createRegisteredReplicas('gateway', { host, port, password: readSecretFile(passwordFile) }),
    others: replicasClients(peers, config.peers),
  };
  rpc.add(replicas.ReplicasServiceService, replicaHandlers(deps.own));
  rpc.add(clusterAdmin.ClusterAdminServiceService, {
    getClusterStatus: getClusterStatus(deps),
    promoteNode: promoteNode(deps),
    demoteNode: demoteNode(deps),
    readmitNode: readmitNode(deps),
  });
  return {
    [Symbol.dispose]: () => {
      deps.gateways.close();
      peers.close();
    },
  };
}
