import * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type { RpcServer } from '@claviger/service-kit';
import type { ClusterDeps } from './cluster-deps.ts';
import { demoteNode } from './demote-node.ts';
import { getClusterStatus } from './get-cluster-status.ts';
import { promoteNode } from './promote-node.ts';
import { readmitNode } from './readmit-node.ts';

/** The operators' view of the replicas of all services. */
export function addClusterHandlers(rpc: RpcServer, deps: ClusterDeps): void {
  rpc.add(clusterAdmin.ClusterAdminService, {
    getClusterStatus: getClusterStatus(deps),
    promoteNode: promoteNode(deps),
    demoteNode: demoteNode(deps),
    readmitNode: readmitNode(deps),
  });
}
