export { databaseName, databaseRoles } from './database-roles.ts';
export { type Layout, layoutOf } from './layout.ts';
export { closeTargets, OpenTargetError, openTargets } from './open-targets.ts';
export {
  type NodeDefinition,
  type PreparedInstallation,
  type PrepareOptions,
  prepareInstallation,
} from './prepare-installation.ts';
export {
  AlreadyRunningError,
  endLeftovers,
  findRunning,
  lockHolder,
  type RunningInstallation,
  type RunningProcess,
} from './running-file.ts';
export { scramVerifier } from './scram-verifier.ts';
export type { BackingServers } from './service-config.ts';
export {
  type Environment,
  type ServiceName,
  type StoreService,
  serviceNames,
  storeServices,
} from './services.ts';
export {
  createTemporaryDataDir,
  type Installation,
  type OperatorAccess,
  type StartOptions,
  startInstallation,
} from './start-installation.ts';
