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

/** Dependencies of the operations in this folder. */
export interface ClusterDeps {
  readonly database: Database<AuthSchema>;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly reportAnomaly: ReportAnomaly;
  /** The replicas of auth itself. */
  readonly ownReplicas: ServiceReplicas;
  readonly gatewayReplicas: RegisteredReplicas;
  /** The other services with a database. */
  readonly otherReplicas: ReadonlyMap<string, ReplicasClient>;
}

const OTHERS = ['vault', 'workflow', 'audit'] as const;

/** Creates a client for each peer that the configuration names. */
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
