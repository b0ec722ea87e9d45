export {
  type Cluster,
  type ClusterOptions,
  createCluster,
  type ReplicaDetails,
  type ReplicaRole,
} from './cluster.ts';
export {
  type Duty,
  type DutyHost,
  type DutyLag,
  type DutyOptions,
  type DutyState,
  type HostedDuty,
  startDuty,
} from './duty.ts';
export { type Timing, timingOf } from './election-rules.ts';
export { type EvictionGuard, openEvictionGuard } from './eviction-guard.ts';
export { type ClusterConfig, joinCluster } from './join-cluster.ts';
export { assertTerm, type Leadership, LeadershipLost, raiseTerm } from './leadership.ts';
export { registerReplica } from './register-replica.ts';
export { createRegisteredReplicas, type RegisteredReplicas } from './registered-replicas.ts';
export { type BatchedStatement, type Removed, removeInBatches } from './remove-in-batches.ts';
export { replicaHandlers } from './replica-handlers.ts';
export { type LeadershipSchema, lastReplicaMigration, leadershipMigration } from './schema.ts';
export { createServiceReplicas, type Demotion, type ServiceReplicas } from './service-replicas.ts';
export { soleLeadership, soleReplica } from './sole-replica.ts';
