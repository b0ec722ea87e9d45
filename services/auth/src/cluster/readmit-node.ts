import type { clusterAdmin } from '@claviger/contracts';
import type { Handler } from '@claviger/service-kit';
import { changing } from './changing.ts';
import { type ClusterDeps, callOf } from './cluster-deps.ts';

export function readmitNode(
  deps: ClusterDeps,
): Handler<(typeof clusterAdmin.ClusterAdminServiceService)['readmitNode']> {
  return (request, context) =>
    changing(deps, context, request, async (client) => {
      const { service, node } = request;
      const { changed } = client
        ? await client.readmit({ node }, callOf(context))
        : { changed: await deps.own.readmit(node) };
      return { service, node, changed };
    });
}
