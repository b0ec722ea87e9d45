import type { NatsServer, PostgresServer, RedisServer } from '@claviger/backing-servers';
import { databaseName, databaseRoles } from './database-roles.ts';
import type { Layout } from './layout.ts';
import { type Environment, isStoreService, type ServiceName, storeServices } from './services.ts';

export interface BackingServers {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly nats: NatsServer;
}

/** The values that all nodes of an installation share. */
export interface ConfigContext {
  readonly layout: Layout;
  readonly environment: Environment;
  readonly logLevel: string;
  readonly servers: BackingServers;
  /** gRPC addresses by service. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  readonly otlpEndpoint: string | undefined;
  readonly rateLimits: 'on' | 'off';
  /** Number of gateways that share the load. */
  readonly gateways: number;
  /** Number of processes that share the database connections. */
  readonly stores: number;
  readonly publicUrl: string;
  /** `host:port` of all servers of the installation; they can never be targets. */
  readonly ownServers: readonly string[];
}

/** The addresses of one node. */
export interface NodeAddresses {
  readonly grpc: string | undefined;
  readonly health: string;
  readonly http: string | undefined;
  readonly publicUrl: string | undefined;
}

/** Returns the complete configuration of one node. Secrets are paths only. */
export function serviceConfig(
  service: ServiceName,
  node: string,
  at: NodeAddresses,
  context: ConfigContext,
): Record<string, unknown> {
  return {
    ...commonKeys(service, node, at, context),
    ...(isStoreService(service)
      ? {
          database: databaseConfig(service, context),
          outbound: { ownServers: context.ownServers, openTargetsFile: context.layout.openTargetsFile },
        }
      : {}),
    ...ownKeys(service, node, at, context),
  };
}

/**
 * Returns the configuration of the operator's commands: the common keys with the operator's certificate. No
 * listeners.
 */
export function operatorConfig(context: ConfigContext): Record<string, unknown> {
  const at = { grpc: undefined, health: '127.0.0.1:0', http: undefined, publicUrl: undefined };
  return commonKeys('operator', 'operator', at, context);
}

function commonKeys(name: ServiceName | 'operator', node: string, at: NodeAddresses, context: ConfigContext) {
  const { layout, servers } = context;
  return {
    environment: context.environment,
    node,
    logLevel: context.logLevel,
    grpc: {
      ...(at.grpc === undefined ? {} : { listen: at.grpc }),
      ...layout.leaf(name),
      caFile: layout.internalCa,
    },
    health: { listen: at.health },
    peers: context.peers,
    redis: {
      host: servers.redis.host,
      port: servers.redis.port,
      passwordFile: serverPasswordFile('redis', servers.redis.external, layout),
    },
    nats: {
      url: servers.nats.url,
      // An external NATS has only the user of its URL.
      user: servers.nats.external ? servers.nats.operator : name,
      passwordFile: servers.nats.external
        ? serverPasswordFile('nats', true, layout)
        : layout.natsPassword(name),
    },
    ...(context.otlpEndpoint === undefined ? {} : { telemetry: { otlpEndpoint: context.otlpEndpoint } }),
  };
}

/** The password of an external server comes from its URL and has its own file. */
export function serverPasswordFile(name: 'redis' | 'nats', external: boolean, layout: Layout): string {
  return layout.secret(external ? `${name}-external` : name);
}

/**
 * The share of a local PostgreSQL's connections for all services; each process uses a few in addition to its
 * pool. The rest is for the threads of the audit service and for administrators.
 */
const SHARED_CONNECTIONS = 180;
const BESIDE_POOL = 4;
const POOL_SIZE = 16;

function databaseConfig(service: (typeof storeServices)[number], { layout, servers, stores }: ConfigContext) {
  const roles = databaseRoles(service);
  const poolSize = Math.max(3, Math.floor(SHARED_CONNECTIONS / stores) - BESIDE_POOL);
  return {
    host: servers.postgres.socketDir,
    port: servers.postgres.port,
    name: databaseName,
    schema: service,
    ...(poolSize < POOL_SIZE ? { poolSize } : {}),
    user: roles.service,
    passwordFile: layout.databasePassword(roles.service),
    systemUser: roles.system,
    systemPasswordFile: layout.databasePassword(roles.system),
    ownerUser: roles.owner,
    ownerPasswordFile: layout.databasePassword(roles.owner),
  };
}

/** The keys of a single service. */
function ownKeys(
  service: ServiceName,
  node: string,
  at: NodeAddresses,
  context: ConfigContext,
): Record<string, unknown> {
  const { layout } = context;
  switch (service) {
    case 'gateway':
      return {
        http: { listen: at.http, ...layout.edge, publicUrl: at.publicUrl },
        rateLimits: context.rateLimits,
        replicas: context.gateways,
        accessTokenPublicKeyFile: layout.secret('access-token.pub.pem'),
      };
    case 'auth':
      return {
        publicUrl: context.publicUrl,
        accessTokenKeyFile: layout.secret('access-token.pem'),
        actorTokenKeyFile: layout.secret('actor-token.pem'),
        pepperFile: layout.secret('auth-pepper'),
        rootKey: { provider: 'file', path: layout.secret('auth-root-key') },
        outboxMacKeyFile: layout.outboxMacKey(service),
      };
    case 'vault':
      return {
        rootKey: { provider: 'file', path: layout.secret('vault-root-key') },
        receiptKeyFile: layout.secret('vault-receipt.pem'),
        emergencyJournalFile: `${layout.journals}/${node}.jsonl`,
        actorTokenPublicKeyFile: layout.secret('actor-token.pub.pem'),
        outboxMacKeyFile: layout.outboxMacKey(service),
      };
    case 'workflow':
      return {
        actorTokenPublicKeyFile: layout.secret('actor-token.pub.pem'),
        outboxMacKeyFile: layout.outboxMacKey(service),
      };
    case 'audit':
      return {
        actorTokenPublicKeyFile: layout.secret('actor-token.pub.pem'),
        treeHeadKeyFile: layout.secret('audit-tree-head.pem'),
        receiptPublicKeyFile: layout.secret('vault-receipt.pub.pem'),
        headsFile: `${layout.heads}/tree-heads.jsonl`,
        outboxMacKeyFile: layout.outboxMacKey(service),
        outboxMacKeyFiles: Object.fromEntries(storeServices.map((each) => [each, layout.outboxMacKey(each)])),
      };
  }
}
