import type * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type { Handler } from '@claviger/service-kit';
import { type ClusterDeps, callOf } from './deps.ts';
import { executeOrder } from './execute-order.ts';

export function readmitNode(deps: ClusterDeps): Handler<typeof clusterAdmin.ClusterAdminService.readmitNode> {
  return (request, context) =>
    executeOrder(deps, context, request, async (client) => {
      const { service, node } = request;
      const { changed } = client
        ? await client.readmit({ node }, callOf(context))
        : { changed: await deps.ownReplicas.readmit(node) };
      return { service, node, changed };
    });
}
