export {
  canonicalHost,
  OutboundError,
  type PlatformRules,
  type PortRange,
  type TargetPolicy,
  targetPolicy,
} from '@claviger/outbound';
export { type AccountKey, accountKey } from './account-key.ts';
export type {
  Account,
  Connector,
  ConnectorContext,
  ConnectorType,
  Credential,
  DiscoveredAccount,
  RefusalKind,
  RotateResult,
  RotationSecrets,
  TestResult,
  VerifyResult,
} from './connector.ts';
export { ConnectorError, type ConnectorErrorKind } from './connector-error.ts';
export { type HttpConfig, httpConfigSchema } from './http/config.ts';
export { type LdapConfig, ldapConfigSchema } from './ldap/config.ts';
export { type MysqlConfig, mysqlConfigSchema } from './mysql/config.ts';
export { type PostgresConfig, postgresConfigSchema } from './postgres/config.ts';
export { scramVerifier } from './postgres/scram-verifier.ts';
export { connectorFor, connectorTypes } from './registry.ts';
export { type SshConfig, sshConfigSchema } from './ssh/config.ts';
