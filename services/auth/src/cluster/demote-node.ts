import type * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type { Anomaly, Handler } from '@claviger/service-kit';
import { type ClusterDeps, callOf } from './deps.ts';
import { executeOrder } from './execute-order.ts';

export function demoteNode(deps: ClusterDeps): Handler<typeof clusterAdmin.ClusterAdminService.demoteNode> {
  return (request, context) =>
    executeOrder(deps, context, request, async (client) => {
      const { service, node, reason, force } = request;
      const order = { node, reason, force, demotedBy: context.actor.userName };
      const { changed, wasLast } = client
        ? await client.standDown(order, callOf(context))
        : await deps.ownReplicas.standDown(order);
      // Reported in addition to the event of the order: no replica executes the service's duties now.
      if (changed && wasLast) deps.reportAnomaly(lastReplicaDemoted(service, node, order.demotedBy));
      return { service, node, changed, wasLast };
    });
}

function lastReplicaDemoted(service: string, node: string, demotedBy: string): Anomaly {
  return {
    alert: 'last_replica_demoted',
    subject: { type: 'node', id: `${service}/${node}` },
    details: { service, node, demotedBy },
  };
}
