export { type FaultMode, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
export {
  HOSTILE_ACCOUNT,
  type HostileTarget,
  type HostileType,
  hostileBehaviours,
  hostileSettings,
  startHostileTarget,
} from './hostile/hostile-target.ts';
export { type HostileAddress, startAllHostileTargets } from './hostile/start-all-hostile-targets.ts';
export { startNoise } from './hostile/start-noise.ts';
export {
  type HttpTarget,
  type HttpTargetAnswer,
  type HttpTargetMode,
  startHttpTarget,
} from './http/http-target.ts';
export {
  type PlayedAccount,
  type PlayedActiveDirectory,
  startActiveDirectory,
  windowsTicks,
} from './ldap/active-directory.ts';
export { type LdapTarget, startLdapTarget } from './ldap/ldap-target.ts';
export { mayMount } from './may-mount.ts';
export { type MysqlTarget, startMysqlTarget } from './mysql/mysql-target.ts';
export { openLoopback } from './open-loopback.ts';
export { type PgbouncerTarget, startPgbouncerTarget } from './pgbouncer/pgbouncer-target.ts';
export { selfSignedCertificate } from './postgres/certificate.ts';
export {
  type PostgresLoginMethod,
  type PostgresTarget,
  type PostgresTargetOptions,
  startPostgresTarget,
} from './postgres/postgres-target.ts';
export { type RsyslogTarget, type SyslogRecord, startRsyslog } from './rsyslog/rsyslog-target.ts';
export { type SshAccount, type SshTarget, type SshTargetOptions, startSshTarget } from './ssh/ssh-target.ts';
