import type { clusterAdmin } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import { changing } from './changing.ts';
import { type ClusterDeps, callOf } from './cluster-deps.ts';

export function demoteNode(
  deps: ClusterDeps,
): Handler<(typeof clusterAdmin.ClusterAdminServiceService)['demoteNode']> {
  return (request, context) =>
    changing(deps, context, request, async (client) => {
      const { service, node, reason } = request;
      const demotedBy = context.actor.userName;
      const { changed } = client
        ? await client.standDown({ node, reason, demotedBy }, callOf(context))
        : { changed: await deps.own.standDown(node, reason, demotedBy) };
      return { service, node, changed };
    });
}
