export {
  canonicalHost,
  OutboundError,
  type PlatformRules,
  type PortRange,
  type TargetPolicy,
  targetPolicy,
} from '@claviger/outbound';
export { type AccountKey, accountKey, accountKeysOf } from './account-key.ts';
export { configSchemaOf, connectorTypes } from './config-schemas.ts';
export type {
  Account,
  BlockedAccount,
  Connector,
  ConnectorContext,
  ConnectorType,
  Credential,
  DiscoveredAccount,
  RefusalKind,
  RotateResult,
  RotationSecrets,
  TestResult,
  UnknownKind,
  VerifyResult,
} from './connector.ts';
export { ConnectorError, type ConnectorErrorKind } from './connector-error.ts';
export {
  type ConnectorPool,
  ConnectorsBusyError,
  createConnectorPool,
  type PooledConnector,
} from './pool/connector-pool.ts';
export type { ConnectorPoolOptions } from './pool/pool-options.ts';
