import type * as clusterAdmin from '@claviger/contracts/auth/v1/cluster_admin';
import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import { isClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { type ClusterDeps, callOf } from './deps.ts';

/** Limit for each service, so that one without an answer does not block the status of the others. */
const ANSWER_WITHIN_MS = 3_000;

export function getClusterStatus(
  deps: ClusterDeps,
): Handler<typeof clusterAdmin.ClusterAdminService.getClusterStatus> {
  return async (_request, context) => {
    const others = [...deps.otherReplicas].map(
      async ([service, client]): Promise<replicas.ServiceReplicas> => {
        try {
          const options = { ...callOf(context), timeoutMs: ANSWER_WITHIN_MS };
          return (await client.getReplicas({}, options)).replicas ?? silent(service, 'no answer');
        } catch (error) {
          deps.logger.warn({ err: error, service }, 'a service did not report its replicas');
          return silent(service, isClavigerError(error) ? error.message : 'It does not answer.');
        }
      },
    );
    const services = await Promise.all([
      deps.ownReplicas.describe(),
      ...others,
      deps.gatewayReplicas.describe(),
    ]);
    return { status: services.every(isWell) ? 'ok' : 'degraded', services };
  };
}

function silent(service: string, problem: string): replicas.ServiceReplicas {
  return {
    service,
    leader: '',
    term: 0,
    termBeganAt: undefined,
    nominee: '',
    problem,
    replicas: [],
    demoted: [],
  };
}

function isWell({ service, leader, problem, replicas: known }: replicas.ServiceReplicas): boolean {
  return (
    problem === '' &&
    (leader !== '' || service === 'gateway') &&
    known.length > 0 &&
    known.every((each) => each.role !== 'silent' && each.duties.every((duty) => duty.failures === 0))
  );
}
