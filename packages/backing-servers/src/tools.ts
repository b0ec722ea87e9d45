/** A program that Claviger, its demo or its tests need, and how to install it. */
export interface Tool {
  readonly name: ToolName;
  readonly title: string;
  /** The program that identifies it, and others that must be beside it. */
  readonly program: string;
  readonly besides: readonly string[];
  /** Files of which one must exist; relative to the folder of the program. */
  readonly oneOf?: readonly string[];
  readonly versionArgs: readonly string[];
  /** Minimum version: [major, minor]. */
  readonly atLeast: readonly [number, number];
  /** Environment variable that names a server to use instead of a program started here. */
  readonly urlVariable?: string;
  readonly urlExample?: string;
  /** Folders to search in addition to PATH; `*` stands for one path segment, the highest first. */
  readonly folders: readonly string[];
  readonly debianPackages: readonly string[];
  readonly brewPackages: readonly string[];
}

export type ToolName =
  | 'postgres'
  | 'redis'
  | 'nats'
  | 'sshd'
  | 'openssl'
  | 'rsyslog'
  | 'mariadb'
  | 'pgbouncer'
  | 'slapd'
  | 'softhsm'
  | 'shells';

const system = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];

export const tools: Readonly<Record<ToolName, Tool>> = {
  postgres: {
    name: 'postgres',
    title: 'PostgreSQL',
    program: 'postgres',
    besides: ['initdb'],
    versionArgs: ['--version'],
    atLeast: [15, 0],
    urlVariable: 'CLAVIGER_POSTGRES_URL',
    urlExample: 'postgres://superuser@127.0.0.1:5432/postgres',
    folders: [
      '/usr/lib/postgresql/*/bin',
      '/usr/pgsql-*/bin',
      '/opt/homebrew/opt/postgresql@*/bin',
      '/usr/local/opt/postgresql@*/bin',
      '/Applications/Postgres.app/Contents/Versions/*/bin',
      ...system,
    ],
    debianPackages: ['postgresql'],
    brewPackages: ['postgresql@17'],
  },
  redis: {
    name: 'redis',
    title: 'Redis',
    program: 'redis-server',
    besides: [],
    versionArgs: ['--version'],
    atLeast: [7, 0],
    urlVariable: 'CLAVIGER_REDIS_URL',
    urlExample: 'redis://127.0.0.1:6379',
    folders: system,
    debianPackages: ['redis-server'],
    brewPackages: ['redis'],
  },
  nats: {
    name: 'nats',
    title: 'NATS',
    program: 'nats-server',
    besides: [],
    versionArgs: ['--version'],
    atLeast: [2, 9],
    urlVariable: 'CLAVIGER_NATS_URL',
    urlExample: 'nats://user@127.0.0.1:4222',
    folders: system,
    debianPackages: ['nats-server'],
    brewPackages: ['nats-server'],
  },
  sshd: {
    name: 'sshd',
    title: 'OpenSSH server',
    program: 'sshd',
    besides: [],
    versionArgs: ['-V'],
    atLeast: [0, 0],
    folders: system,
    debianPackages: ['openssh-server', 'openssh-client'],
    brewPackages: ['openssh'],
  },
  openssl: {
    name: 'openssl',
    title: 'OpenSSL',
    program: 'openssl',
    besides: [],
    versionArgs: ['version'],
    atLeast: [1, 1],
    folders: system,
    debianPackages: ['openssl'],
    brewPackages: ['openssl@3'],
  },
  rsyslog: {
    name: 'rsyslog',
    title: 'rsyslog',
    program: 'rsyslogd',
    besides: [],
    versionArgs: ['-v'],
    atLeast: [8, 2106],
    folders: system,
    debianPackages: ['rsyslog', 'rsyslog-gnutls'],
    brewPackages: ['rsyslog'],
  },
  // Debian's mariadb-server-core contains the server without the plugin.
  mariadb: {
    name: 'mariadb',
    title: 'MariaDB server',
    program: 'mariadbd',
    besides: [],
    oneOf: ['../lib/mysql/plugin/auth_ed25519.so', '../lib/plugin/auth_ed25519.so'],
    versionArgs: ['--version'],
    atLeast: [10, 4],
    folders: system,
    debianPackages: ['mariadb-server'],
    brewPackages: ['mariadb'],
  },
  pgbouncer: {
    name: 'pgbouncer',
    title: 'PgBouncer',
    program: 'pgbouncer',
    besides: [],
    versionArgs: ['--version'],
    atLeast: [1, 18],
    folders: system,
    debianPackages: ['pgbouncer'],
    brewPackages: ['pgbouncer'],
  },
  slapd: {
    name: 'slapd',
    title: 'OpenLDAP server',
    program: 'slapd',
    besides: [],
    versionArgs: ['-VV'],
    atLeast: [2, 5],
    folders: [...system, '/usr/libexec', '/usr/local/libexec', '/opt/homebrew/opt/openldap/libexec'],
    debianPackages: ['slapd'],
    brewPackages: ['openldap'],
  },
  softhsm: {
    name: 'softhsm',
    title: 'SoftHSM with OpenSC',
    program: 'softhsm2-util',
    besides: ['pkcs11-tool'],
    versionArgs: ['--version'],
    atLeast: [2, 6],
    folders: system,
    debianPackages: ['softhsm2', 'opensc'],
    brewPackages: ['softhsm', 'opensc'],
  },
  // Shells of accounts and sudo for administrators: the tests log in to each.
  shells: {
    name: 'shells',
    title: 'fish, tcsh, zsh and sudo',
    program: 'fish',
    besides: ['tcsh', 'zsh', 'sudo'],
    versionArgs: ['--version'],
    atLeast: [0, 0],
    folders: system,
    debianPackages: ['fish', 'tcsh', 'zsh', 'sudo'],
    brewPackages: ['fish', 'tcsh', 'zsh'],
  },
};
