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
  startDuty,
} from './duty.ts';
export { type Timing, timingOf } from './election-rules.ts';
export { type ClusterConfig, joinCluster } from './join-cluster.ts';
export { type Leadership, LeadershipLost } from './leadership.ts';
export { type LeadershipSchema, leadershipMigration } from './schema.ts';
export { soleLeadership, soleReplica } from './sole-replica.ts';
