import type * as replicas from '@claviger/contracts/cluster/v1/replicas';
import type { Handlers } from '@claviger/service-kit';
import type { ServiceReplicas } from './service-replicas.ts';

/** `ReplicasService` of a service with state. */
export function replicaHandlers(service: ServiceReplicas): Handlers<typeof replicas.ReplicasService> {
  return {
    getReplicas: async () => ({ replicas: await service.describe() }),
    standForTerm: async ({ node }) => ({ term: await service.stand(node) }),
    standDown: (order) => service.standDown(order),
    readmit: async ({ node }) => ({ changed: await service.readmit(node) }),
  };
}
