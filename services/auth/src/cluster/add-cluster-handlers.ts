import { clusterAdmin } from '@claviger/contracts';
import type { RpcServer } from '@claviger/service-kit';
import type { ClusterDeps } from './cluster-deps.ts';
import { demoteNode } from './demote-node.ts';
import { getClusterStatus } from './get-cluster-status.ts';
import { promoteNode } from './promote-node.ts';
import { readmitNode } from './readmit-node.ts';

/** The operators' view of the replicas of all services. */
export function addClusterHandlers(rpc: RpcServer, deps: ClusterDeps): void {
  rpc.add(clusterAdmin.ClusterAdminServiceService, {
    getClusterStatus: getClusterStatus(deps),
    promoteNode: promoteNode(deps),
    demoteNode: demoteNode(deps),
    readmitNode: readmitNode(deps),
  });
}
