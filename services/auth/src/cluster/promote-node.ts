import type * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type { Handler } from '@claviger/service-kit';
import { type ClusterDeps, callOf } from './deps.ts';
import { executeOrder } from './execute-order.ts';

export function promoteNode(deps: ClusterDeps): Handler<typeof clusterAdmin.ClusterAdminService.promoteNode> {
  return (request, context) =>
    executeOrder(deps, context, request, async (client) => {
      const { service, node } = request;
      const { term } = client
        ? await client.standForTerm({ node }, callOf(context))
        : { term: await deps.ownReplicas.stand(node) };
      return { service, node, term };
    });
}
