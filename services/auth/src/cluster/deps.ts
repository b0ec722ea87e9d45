import type { RegisteredReplicas, ServiceReplicas } from '@claviger/cluster';
import * as replicas from '@claviger/contracts/cluster/v1/replicas';
import type { Database } from '@claviger/database';
import type { Emitter } from '@claviger/events';
import type {
  CallContext,
  CallOptions,
  Logger,
  Peers,
  ReportAnomaly,
  ServiceClient,
} from '@claviger/service-kit';
import type { AuthSchema } from '../schema.ts';

export type ReplicasClient = ServiceClient<typeof replicas.ReplicasService>;

/** What the handlers of this folder work with. */
export interface ClusterDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly reportAnomaly: ReportAnomaly;
  /** Of auth itself. */
  readonly ownReplicas: ServiceReplicas;
  readonly gatewayReplicas: RegisteredReplicas;
  /** The other services that keep state. */
  readonly otherReplicas: ReadonlyMap<string, ReplicasClient>;
}

const OTHERS = ['vault', 'workflow', 'audit'] as const;

/** Of the peers that the configuration names. */
export function replicasClients(
  peers: Peers,
  named: Readonly<Record<string, unknown>>,
): ClusterDeps['otherReplicas'] {
  return new Map(
    OTHERS.filter((peer) => named[peer] !== undefined).map((peer) => [
      peer,
      peers.client(peer, replicas.ReplicasService),
    ]),
  );
}

export function callOf(context: CallContext): CallOptions {
  return { requestId: context.requestId, deadline: context.deadline, signal: context.signal };
}
